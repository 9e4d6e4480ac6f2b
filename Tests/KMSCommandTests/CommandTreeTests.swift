import ArgumentParser
import Testing

@testable import KMSCommand

@Suite(.timeLimit(.minutes(10))) struct CommandTreeTests {
    /// Without one the parser takes it from the text of the type, of every command at every call, and that search of everything the
    /// program conforms to was two fifths of what a verb cost.
    @Test("Every command says its name")
    func everyCommandSaysItsName() {
        var open: [any ParsableCommand.Type] = [KMSDCommand.self]
        var seen = 0
        while let command = open.popLast() {
            #expect(command.configuration.commandName != nil, "\(command)")
            seen += 1
            open += command.configuration.subcommands
        }
        #expect(seen > 60)
    }
}
