import Foundation
import SecretMemory
import TestSupport
import Testing
import Token

@Suite(.timeLimit(.minutes(10))) struct PINSourceTests {
    private func file(_ content: String, mode: Int = 0o600, directoryMode: Int = 0o700) throws -> String {
        let directory = try ScratchDirectory.make("pin").path
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

    @Test(arguments: [0o644, 0o640, 0o604, 0o660, 0o700, 0o601])
    func aFileThatOthersCanReadIsRefused(mode: Int) throws {
        expectRefusal(.file(try file("1234", mode: mode)), "chmod 600")
    }

    @Test(arguments: [0o777, 0o770, 0o720, 0o755, 0o704, 0o1777])
    func aDirectoryThatOthersCanListOrWriteIsRefused(mode: Int) throws {
        expectRefusal(.file(try file("1234", directoryMode: mode)), "chmod 700 the directory")
    }

    @Test(arguments: [0o700, 0o500, 0o711, 0o750])
    func aDirectoryThatOthersOnlyPassIsAccepted(mode: Int) throws {
        let pin = try PINSource.file(try file("1234", directoryMode: mode)).load()
        #expect(pin.count == 4)
    }

    /// Only one line break goes; everything else is part of the PIN, and NUL bytes are not special.
    @Test(arguments: [("12 34\n\n", "12 34\n"), ("1234\r", "1234\r"), ("\u{e4}\u{20ac}\0x", "\u{e4}\u{20ac}\0x")])
    func nothingElseIsDropped(content: String, expected: String) throws {
        let pin = try PINSource.file(try file(content)).load()
        let bytes = pin.withUnsafeBytes { Array($0) }
        #expect(bytes == Array(expected.utf8))
    }

    /// A second line would go to the token as part of the PIN, and cost a try.
    @Test(arguments: [
        ("1234", true), ("1234\r\n", true), ("1234\n5678", false), ("1234\n\n", false), ("1234\r", false),
        ("12\u{0}34", false),
    ])
    func aTokensPINIsOneLine(content: String, isAccepted: Bool) throws {
        let source = PINSource.file(try file(content))
        do throws(HSMError) {
            let count = try source.loadLine().count
            #expect(count == 4 && isAccepted)
        } catch {
            #expect(!isAccepted && error.code == .pinSourceRefused && error.message.contains("on one line"))
        }
    }

    @Test func theLongestPINIsAcceptedWithItsLineBreak() throws {
        let pin = try PINSource.file(try file(String(repeating: "9", count: 255) + "\r\n")).load()
        #expect(pin.count == 255)
    }

    /// A pipe must neither be read nor waited for.
    @Test func aPipeIsRefusedAtOnce() throws {
        let path = try file("1234") + ".pipe"
        #expect(mkfifo(path, 0o600) == 0)
        expectRefusal(.file(path), "regular file")
    }

    /// Another user's file or folder could be changed by that user.
    @Test func filesAndFoldersOfOthersAreRefused() throws {
        let path = try file("1234")
        let other = try file("1234")
        guard geteuid() == 0 else {
            // Only root can give files away, so nobody else can plant one as this user's or root's.
            #expect(chown(path, 0, 0) != 0)
            return
        }
        #expect(chown(path, 4711, 4711) == 0)
        expectRefusal(.file(path), "belongs to user 4711")
        #expect(chown((other as NSString).deletingLastPathComponent, 4711, 4711) == 0)
        expectRefusal(.file(other), "directory of user 4711")
    }

    /// A service manager's access list shows as the group's right to read, on a file of root's only.
    @Test func aCredentialMayShowAnAccessList() async throws {
        let path = try file("5678", mode: 0o440, directoryMode: 0o550)
        expectRefusal(.file(path), "mode 440")
        await #expect(processExitsWith: .success) { [path = path as String] in
            setenv("CREDENTIALS_DIRECTORY", (path as NSString).deletingLastPathComponent, 1)
            do throws(HSMError) {
                let pin = try PINSource.credential("pin").load()
                guard pin.count == 4 else { exit(2) }
            } catch {
                exit(3)
            }
        }
        let wide = try file("5678", mode: 0o444, directoryMode: 0o550)
        await #expect(processExitsWith: .success) { [wide = wide as String] in
            setenv("CREDENTIALS_DIRECTORY", (wide as NSString).deletingLastPathComponent, 1)
            do throws(HSMError) {
                _ = try PINSource.credential("pin").load().count
                exit(2)
            } catch {
                guard error.message.contains("mode 444") else { exit(3) }
            }
        }
    }

    @Test func textAndSourceAgree() throws {
        #expect(try PINSource(parsing: "file:/run/pin") == .file("/run/pin"))
        #expect(try PINSource(parsing: "file:///run/pin") == .file("/run/pin"))
        #expect(try PINSource(parsing: "/run/pin") == .file("/run/pin"))
        for text in ["file:/run/pin", "credential:kmsd-pin"] {
            #expect(try PINSource(parsing: text).description == text)
        }
        for text in ["", "file:", "file:pin", "file://host/pin", "credential:", "credential:.."] {
            #expect(throws: HSMError.self, "\(text)") { _ = try PINSource(parsing: text) }
        }
    }

    @Test func linksFoldersAndMissingFilesAreRefused() throws {
        let path = try file("1234")
        try FileManager.default.createSymbolicLink(atPath: path + ".link", withDestinationPath: path)
        expectRefusal(.file(path + ".link"), "symbolic link")
        try FileManager.default.createDirectory(atPath: path + ".folder", withIntermediateDirectories: false)
        expectRefusal(.file(path + ".folder"), "regular file")
        expectRefusal(.file(path + ".missing"), "opened")
    }

    @Test(arguments: ["", "123", String(repeating: "9", count: 256), String(repeating: "9", count: 5000)])
    func lengthsOutsideTheStandardAreRefused(content: String) throws {
        expectRefusal(.file(try file(content)), "4 to 255")
    }

    @Test func credentialsComeFromTheServiceManager() async throws {
        let path = try file("5678\n")
        await #expect(processExitsWith: .success) { [path = path as String] in
            unsetenv("CREDENTIALS_DIRECTORY")
            do throws(HSMError) {
                _ = try PINSource.credential("pin").load().count
                exit(3)
            } catch {
                guard error.message.contains("LoadCredential") else { exit(4) }
            }
            setenv("CREDENTIALS_DIRECTORY", (path as NSString).deletingLastPathComponent, 1)
            let pin = try PINSource(parsing: "credential:pin").load()
            guard pin.count == 4 else { exit(2) }
        }
        #expect(throws: HSMError.self) { _ = try PINSource(parsing: "credential:a/b") }
        #expect(throws: HSMError.self) { _ = try PINSource(parsing: "relative/path") }
    }
}
