import Pairing
import Synchronization

/// Public keys that verified a short while ago: decoding one checks its subgroup, which costs as much as a pairing.
///
/// - Concurrency: any number of calls at once.
final class VerifyingKeys: Sendable {
    /// About 20 kB each.
    static let capacity = 2_048

    /// Prepared by the scheme that has keys of that length.
    private let keys = Mutex<[[UInt8]: any Sendable]>([:])

    /// - Throws: `.faulty` for what is no public key: only stored keys are looked up, and they were checked at set-up.
    func key<Scheme: SplitScheme>(
        _ encoded: [UInt8], _ scheme: Scheme.Type
    ) throws(SplitKeyError) -> Scheme.PreparedPublicKey {
        if let key = keys.withLock({ $0[encoded] }) as? Scheme.PreparedPublicKey { return key }
        let key: Scheme.PreparedPublicKey
        do throws(PairingError) {
            key = scheme.prepare(try Scheme.PublicKey(encoding: encoded))
        } catch {
            throw .damaged("split key", error)
        }
        keys.withLock { keys in
            if keys.count >= Self.capacity, let victim = keys.keys.first { keys[victim] = nil }
            keys[encoded] = key
        }
        return key
    }
}
