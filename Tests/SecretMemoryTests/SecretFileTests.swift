import Foundation
import SecretMemory
import Testing

@Suite(.timeLimit(.minutes(10))) struct SecretFileTests {
    private let folder: URL

    init() throws {
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("secret-file-\(UUID().uuidString)")
        try FileManager.default.createDirectory(
            at: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    }

    private func file(_ content: String, mode: Int = 0o600) throws -> String {
        let path = folder.appendingPathComponent(UUID().uuidString).path
        try Data(content.utf8).write(to: URL(fileURLWithPath: path))
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
        return path
    }

    private func read(_ source: String) throws(SecretFileError) -> [UInt8] {
        try SecretFile.read(source, lengths: 4...16).withUnsafeBytes { Array($0) }
    }

    @Test func oneLineBreakIsDropped() throws {
        for (content, expected) in [
            ("secret", "secret"), ("secret\n", "secret"), ("secret\r\n", "secret"), ("secret\n\n", "secret\n"),
            (" sec ret ", " sec ret "), ("0123456789abcdef\r\n", "0123456789abcdef"),
        ] {
            let path = try file(content)
            #expect(try read(path) == Array(expected.utf8))
            #expect(try read("file:" + path) == Array(expected.utf8))
        }
    }

    @Test func lengthsAreBounded() throws {
        for content in ["", "\n", "abc", "abc\n", "0123456789abcdefg", String(repeating: "x", count: 100_000)] {
            let path = try file(content)
            #expect(throws: SecretFileError.self) { try read(path) }
        }
    }

    @Test func filesOthersCanReadAreRefused() throws {
        for mode in [0o640, 0o604, 0o660, 0o644, 0o700] {
            let path = try file("secret", mode: mode)
            let error = #expect(throws: SecretFileError.self) { try read(path) }
            #expect(error?.message.contains("chmod 600") == true)
        }
        try #expect(read(try file("secret", mode: 0o400)) == Array("secret".utf8))
    }

    @Test func linksFoldersAndNonsenseAreRefused() throws {
        let path = try file("secret")
        let link = folder.appendingPathComponent("link").path
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: path)
        for source in [link, folder.path, path + "x", "relative", "", "credential:", "credential:../x", "http://x"] {
            #expect(throws: SecretFileError.self) { try read(source) }
        }
    }
}
