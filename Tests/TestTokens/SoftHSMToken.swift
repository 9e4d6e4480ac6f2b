public import Foundation
import Synchronization
import TestSupport
public import Token

/// A SoftHSM token of one test, in a directory private to the test process.
///
/// SoftHSM reads its configuration once per process and does not see tokens made after it was initialised, so a set of
/// tokens is made up front and handed out one by one; a token is never handed out twice.
public struct SoftHSMToken: Sendable {
    public let label: String
    public let serial: String
    /// The token's own folder, for tests that take it away.
    public let directory: URL
    public let pinFile: URL
    public let soPINFile: URL
    public let modulePath: String

    /// Names the token with module path and PIN source.
    public var uri: TokenURI {
        TokenURI(token: label, serial: serial, modulePath: modulePath, pinSource: "file:\(pinFile.path)")
    }

    public var pinSource: PINSource { .file(pinFile.path) }

    /// The PIN, for programs that take it from an environment variable.
    public func pin() throws -> String { try String(contentsOf: pinFile, encoding: .utf8) }

    /// Environment under which other programs see the same tokens.
    public var environment: [String: String] { ["SOFTHSM2_CONF": Self.shared.root + "/softhsm2.conf"] }

    /// The folder that holds every token of this process.
    public static var tokensDirectory: URL { URL(fileURLWithPath: shared.root + "/tokens") }

    /// Hands out a fresh token. Call it before the test loads the module.
    public static func make() throws -> SoftHSMToken {
        if let reason = shared.failure { throw Command.Failure(description: reason) }
        return try shared.pool.withLock { pool in
            guard let token = pool.popLast() else {
                throw Command.Failure(description: "all \(count) tokens of this process are in use; raise the count")
            }
            return token
        }
    }

    /// Two tokens of one label: index 0 is the first, 1 its impostor with the same label and the same PIN.
    public static func makeTwins() throws -> (original: SoftHSMToken, impostor: SoftHSMToken) {
        if let reason = shared.failure { throw Command.Failure(description: reason) }
        return try shared.twins.withLock { twins in
            guard let pair = twins.popLast() else {
                throw Command.Failure(description: "all \(twinCount) pairs of this process are in use")
            }
            return (pair[0], pair[1])
        }
    }

    /// Tokens and pairs made per process.
    static let count = 256
    static let twinCount = 4

    private static let shared = Shared()

    private final class Shared: Sendable {
        let root: String
        let failure: String?
        let pool: Mutex<[SoftHSMToken]>
        let twins: Mutex<[[SoftHSMToken]]>

        init() {
            let folder = try? ScratchDirectory.make("softhsm")
            root = folder?.path ?? NSTemporaryDirectory()
            do {
                guard folder != nil else { throw Command.Failure(description: "no scratch directory could be made") }
                let made = try Self.makeAll(root)
                pool = Mutex(made.single)
                twins = Mutex(made.twins)
                failure = nil
            } catch {
                pool = Mutex([])
                twins = Mutex([])
                failure = "No SoftHSM tokens could be made: \(error)"
            }
        }

        private static func makeAll(_ root: String) throws -> (single: [SoftHSMToken], twins: [[SoftHSMToken]]) {
            let module = try modulePath()
            let tokens = root + "/tokens"
            try FileManager.default.createDirectory(
                atPath: tokens, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
            let configuration = """
                directories.tokendir = \(tokens)
                objectstore.backend = file
                log.level = ERROR
                slots.mechanisms = ALL

                """
            try configuration.write(toFile: root + "/softhsm2.conf", atomically: true, encoding: .utf8)
            setenv("SOFTHSM2_CONF", root + "/softhsm2.conf", 1)
            let single = try (0..<SoftHSMToken.count).map { try token(root, module, label: "test-\($0)") }
            let twins = try (0..<SoftHSMToken.twinCount).map { index in
                let first = try token(root, module, label: "twin-\(index)")
                return [first, try token(root, module, label: "twin-\(index)", pinsOf: first)]
            }
            return (single, twins)
        }

        private static func token(
            _ root: String, _ module: String, label: String, pinsOf other: SoftHSMToken? = nil
        ) throws -> SoftHSMToken {
            let tokens = URL(fileURLWithPath: root + "/tokens")
            let before = Set(try FileManager.default.contentsOfDirectory(atPath: tokens.path))
            let pin = try other.map { try String(contentsOf: $0.pinFile, encoding: .utf8) } ?? secret()
            let soPIN = try other.map { try String(contentsOf: $0.soPINFile, encoding: .utf8) } ?? secret()
            try Command.succeed(
                "softhsm2-util",
                ["--init-token", "--free", "--label", label, "--pin", pin, "--so-pin", soPIN])
            let created = Set(try FileManager.default.contentsOfDirectory(atPath: tokens.path)).subtracting(before)
            guard let folder = created.first, created.count == 1 else {
                throw Command.Failure(description: "softhsm2-util made \(created.count) token folders instead of one")
            }
            // SoftHSM names the folder after the serial number: xxxxxxxx-xxxx-xxxx-SSSS-SSSSSSSSSSSS.
            let serial = String(folder.filter { $0 != "-" }.suffix(16))
            let pinFile = URL(fileURLWithPath: root + "/\(folder).pin")
            let soPINFile = URL(fileURLWithPath: root + "/\(folder).so-pin")
            for (file, text) in [(pinFile, pin), (soPINFile, soPIN)] {
                try Data(text.utf8).write(to: file)
                try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: file.path)
            }
            return SoftHSMToken(
                label: label, serial: serial, directory: tokens.appendingPathComponent(folder), pinFile: pinFile,
                soPINFile: soPINFile, modulePath: module)
        }

        private static func secret() -> String { UUID().uuidString.replacingOccurrences(of: "-", with: "") }

        private static func modulePath() throws -> String {
            let places = [
                "/usr/lib/softhsm/libsofthsm2.so", "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
                "/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so", "/usr/lib/pkcs11/libsofthsm2.so",
            ]
            guard let place = places.first(where: { FileManager.default.fileExists(atPath: $0) }) else {
                throw Command.Failure(description: "libsofthsm2.so was not found; install the package softhsm2")
            }
            return place
        }
    }
}
