import LibCrypto
import Token

/// Digests of labels, where a policy would stand: what tells our objects from others before there is a manifest.
enum TPMMark {
    static func of(_ label: String) throws(HSMError) -> [UInt8] {
        do {
            return try Digest.sha256(Array(label.utf8))
        } catch {
            throw HSMError(.deviceFailure, "Could not hash a label: \(error).")
        }
    }

    /// The label of an instance's memory, and of its counter.
    static func kept(_ instance: String) -> String { "kmsd/\(instance)/kept/1" }
    static func keptCounter(_ instance: String) -> String { "kmsd/\(instance)/kept-counter/1" }

    /// The reference of an instance's policy.
    static func policy(_ instance: String) throws(HSMError) -> [UInt8] { try of("kmsd/\(instance)/policy/1") }
}
