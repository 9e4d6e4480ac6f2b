import EnclaveLock
import Foundation
import Glibc
import SecretMemory
import Testing

@Suite("Local file lock", .timeLimit(.minutes(10))) struct LocalFileLockTests {
    /// A directory that dies with the test.
    final class Folder {
        let path = NSTemporaryDirectory() + "kmsd-lock-\(UUID().uuidString)"
        init() throws {
            try FileManager.default.createDirectory(
                atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        }
        deinit { try? FileManager.default.removeItem(atPath: path) }

        func write(_ bytes: [UInt8], mode: mode_t = 0o600) throws -> String {
            let file = path + "/\(UUID().uuidString)"
            try Data(bytes).write(to: URL(fileURLWithPath: file))
            chmod(file, mode)
            return file
        }
    }

    let folder: Folder
    init() throws { folder = try Folder() }

    private func refusal(_ path: String) -> EnclaveLockError? {
        let error = #expect(throws: EnclaveLockError.self) { try LocalFileLock(path: path) }
        #expect(error?.code == .configurationRefused)
        return error
    }

    private static func base64URL(_ bytes: [UInt8]) -> String {
        Data(bytes).base64EncodedString().replacing("+", with: "-").replacing("/", with: "_")
    }

    /// Bytes above 0x7F are no base64url characters.
    private static let rawKey = [UInt8](200..<232)

    @Test func asTextWithLineBreaksOrRawBytesItIsTheSameKey() async throws {
        let text = Self.base64URL(Self.rawKey)
        let files = try [
            folder.write(Self.rawKey), folder.write(Array(text.utf8)), folder.write(Array((text + "\n").utf8)),
            folder.write(Array((text.prefix(20) + "\r\n" + text.dropFirst(20) + "\r\n").utf8)),
        ]
        let locks = try files.map { try LocalFileLock(path: $0) }
        #expect(Set(locks.map(\.identity)).count == 1)
        let sealed = try await locks[0].seal(SharedSecret(try Samples.secret([9, 8])), identity: Samples.identity)
        for lock in locks {
            #expect(Samples.bytes(try await lock.open(sealed, identity: Samples.identity)) == [9, 8])
        }
    }

    @Test func anotherFilesKeyDoesNotOpen() async throws {
        let one = try LocalFileLock(path: try folder.write(Self.rawKey))
        let two = try LocalFileLock(path: try folder.write(Self.rawKey.reversed()))
        #expect(one.identity != two.identity)
        let sealed = try await one.seal(SharedSecret(try Samples.secret([1])), identity: Samples.identity)
        let error = await #expect(throws: EnclaveLockError.self) {
            try await two.open(sealed, identity: Samples.identity)
        }
        #expect(error?.code == .openingFailed)
    }

    @Test(arguments: [0o640, 0o604, 0o660, 0o644, 0o611, 0o601] as [mode_t])
    func groupAndOtherAccessIsRefused(mode: mode_t) throws {
        #expect(refusal(try folder.write(Self.rawKey, mode: mode))?.message.contains("chmod 600") == true)
    }

    @Test func aReadOnlyFileOfTheOwnerIsAccepted() throws {
        #expect(try LocalFileLock(path: try folder.write(Self.rawKey, mode: 0o400)).kind == .localFile)
    }

    @Test(arguments: [16, 24]) func keysOf16And24BytesAreRefusedByName(count: Int) throws {
        let key = Array(Self.rawKey.prefix(count))
        // With a line break, because 32 characters without one are the ambiguous case below.
        for content in [key, Array((Self.base64URL(key) + "\n").utf8)] {
            #expect(refusal(try folder.write(content))?.message.contains("AES-\(count * 8)") == true)
        }
    }

    @Test func thirtyTwoRawBytesThatAreAlsoBase64urlTextAreRefusedAsAmbiguous() throws {
        let content = Array("0123456789abcdefghijklmnopqrstuv".utf8)
        #expect(content.count == 32)
        #expect(refusal(try folder.write(content))?.message.contains("24-byte key") == true)
    }

    @Test func standardBase64IsRefusedWithTheRemedy() throws {
        let key = [UInt8](repeating: 0xFB, count: 32)
        let text = Data(key).base64EncodedString()
        #expect(text.contains("+"))
        #expect(refusal(try folder.write(Array((text + "\n").utf8)))?.message.contains("standard base64") == true)
    }

    @Test func emptyMissingLinkedLongAndOddFilesAreRefusedNoPathMeansNoLock() throws {
        #expect(refusal("")?.message.contains("no default key") == true)
        #expect(refusal(folder.path + "/missing") != nil)
        #expect(refusal(folder.path)?.message.contains("regular file") == true)
        #expect(refusal(try folder.write([]))?.message.contains("empty") == true)
        #expect(refusal(try folder.write([UInt8](repeating: 0xFF, count: 31))) != nil)
        #expect(refusal(try folder.write([UInt8](repeating: 0xFF, count: 513)))?.message.contains("512") == true)
        let link = folder.path + "/link"
        symlink(try folder.write(Self.rawKey), link)
        #expect(refusal(link)?.message.contains("symbolic link") == true)
    }

    @Test func noMessageQuotesTheKey() throws {
        let text = "canary-canary-canary-canary-canary-canary"
        let error = refusal(try folder.write(Array(text.utf8)))
        #expect(error.map { "\($0)".contains("canary-") } == false)
    }
}
