import ArgumentParser
import Testing

@testable import KMSCommand
@testable import KMSConfiguration

@Suite(.timeLimit(.minutes(10))) struct FlagTests {
    @Test("Every setting is a flag of `kmsd start`")
    func everySettingIsAFlagOfKmsdStart() {
        let help = StartCommand.helpMessage(columns: 200)
        for key in ConfigurationKey.catalogue { #expect(help.contains("--\(key.name) "), "\(key.name)") }
    }
}
