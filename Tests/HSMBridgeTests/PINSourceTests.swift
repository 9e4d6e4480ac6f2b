import Foundation
import HSMBridge
import SecretMemory
import Testing

@Suite struct PINSourceTests {
    private func file(_ content: String, mode: Int = 0o600, directoryMode: Int = 0o700) throws -> String {
        let directory = NSTemporaryDirectory() + "kmsd-pin-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        let path = directory + "/pin"
        try Data(content.utf8).write(to: URL(fileURLWithPath: path))
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
        try FileManager.default.setAttributes([.posixPermissions: directoryMode], ofItemAtPath: directory)
        return path
    }

    private func expectRefusal(_ source: PINSource, _ hint: String) {
        do throws(HSMError) {
            _ = try source.load().count
            Issue.record("\(source) was accepted")
        } catch {
            #expect(error.code == .pinSourceRefused)
            #expect(error.message.contains(hint), "\(error.message)")
        }
    }

    @Test(arguments: ["1234", "1234\n", "1234\r\n"])
    func oneTrailingLineBreakIsDropped(content: String) throws {
        let pin = try PINSource.file(try file(content)).load()
        let text = pin.withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
        #expect(text == "1234")
    }

    @Test(arguments: [0o644, 0o640, 0o604, 0o660])
    func aFileThatOthersCanReadIsRefused(mode: Int) throws {
        expectRefusal(.file(try file("1234", mode: mode)), "chmod 600")
    }

    @Test func aDirectoryThatOthersCanWriteIsRefused() throws {
        expectRefusal(.file(try file("1234", directoryMode: 0o777)), "directory")
    }

    @Test func linksFoldersAndMissingFilesAreRefused() throws {
        let path = try file("1234")
        try FileManager.default.createSymbolicLink(atPath: path + ".link", withDestinationPath: path)
        expectRefusal(.file(path + ".link"), "symbolic link")
        expectRefusal(.file((path as NSString).deletingLastPathComponent), "regular file")
        expectRefusal(.file(path + ".missing"), "opened")
    }

    @Test(arguments: ["", "123", String(repeating: "9", count: 256), String(repeating: "9", count: 5000)])
    func lengthsOutsideTheStandardAreRefused(content: String) throws {
        expectRefusal(.file(try file(content)), "4 to 255")
    }

    @Test func credentialsComeFromTheServiceManager() async throws {
        let path = try file("5678\n")
        await #expect(processExitsWith: .success) { [path = path as String] in
            setenv("CREDENTIALS_DIRECTORY", (path as NSString).deletingLastPathComponent, 1)
            let pin = try PINSource(parsing: "credential:pin").load()
            guard pin.count == 4 else { exit(2) }
        }
        #expect(throws: HSMError.self) { _ = try PINSource(parsing: "credential:a/b") }
        #expect(throws: HSMError.self) { _ = try PINSource(parsing: "relative/path") }
    }
}
