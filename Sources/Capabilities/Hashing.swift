internal import LibCrypto

/// SHA-2 for this target. A library that cannot hash proves nothing, so the request is refused.
enum Hashing {
    static func sha256(_ bytes: [UInt8]) throws(CapabilityError) -> [UInt8] {
        do { return try Digest.sha256(bytes) } catch { throw .unauthorized("SHA-256 failed: \(error)") }
    }

    static func sha512(_ bytes: [UInt8]) throws(CapabilityError) -> [UInt8] {
        do { return try Digest.sha512(bytes) } catch { throw .unauthorized("SHA-512 failed: \(error)") }
    }
}
