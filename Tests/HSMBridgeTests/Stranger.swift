import Encodings
import Foundation
import TestSupport
import Token

@testable import HSMBridge

/// Verifies with the `openssl` command, which knows nothing of this code.
enum Stranger {
    /// - Parameter signature: r ‖ s of ECDSA with SHA-256.
    static func verifies(_ signature: [UInt8], of message: [UInt8], _ subjectPublicKeyInfo: [UInt8]) throws -> Bool {
        try withFiles(["key": subjectPublicKeyInfo, "signature": der(signature), "message": message]) { files in
            let result = try Command.run(
                "openssl",
                [
                    "dgst", "-sha256", "-verify", files["key"] ?? "", "-keyform", "DER", "-signature",
                    files["signature"] ?? "", files["message"] ?? "",
                ])
            return result.status == 0
        }
    }

    /// - Parameter signature: r ‖ s of ECDSA over a digest.
    static func verifies(
        digest: [UInt8], signature: [UInt8], _ subjectPublicKeyInfo: [UInt8], isEdwards: Bool = false
    ) throws -> Bool {
        let encoded = isEdwards ? signature : der(signature)
        return try withFiles(["key": subjectPublicKeyInfo, "signature": encoded, "digest": digest]) { files in
            let result = try Command.run(
                "openssl",
                [
                    "pkeyutl", "-verify", "-pubin", "-keyform", "DER", "-inkey", files["key"] ?? "", "-sigfile",
                    files["signature"] ?? "", "-in", files["digest"] ?? "",
                ])
            return result.status == 0
        }
    }

    private static func der(_ signature: [UInt8]) -> [UInt8] {
        let half = signature.count / 2
        let integers = [signature.prefix(half), signature.suffix(half)].map { part -> [UInt8] in
            var digits = Array(part.drop { $0 == 0 })
            if digits.isEmpty || digits[0] >= 0x80 { digits.insert(0, at: 0) }
            return DER.element(0x02, digits)
        }
        return DER.element(0x30, integers[0] + integers[1])
    }

    private static func withFiles<R>(_ contents: [String: [UInt8]], _ body: ([String: String]) throws -> R) throws -> R
    {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("kmsd-stranger-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        var paths: [String: String] = [:]
        for (name, bytes) in contents {
            let file = folder.appendingPathComponent(name)
            try Data(bytes).write(to: file)
            paths[name] = file.path
        }
        return try body(paths)
    }
}
