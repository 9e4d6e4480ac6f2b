import StrictJSON

/// The usable keys of a JSON Web Key Set (RFC 7517 §5).
struct KeySet: Sendable {
    static let maximumBytes = 256 * 1024
    static let maximumKeys = 64

    let keys: [TokenKey]

    init(reading body: [UInt8]) async throws(BearerTokenError) {
        guard body.count <= Self.maximumBytes else {
            throw Self.refused("it is larger than \(Self.maximumBytes) bytes")
        }
        let document: JSONNode
        do { document = try JSONNode(reading: body) } catch { throw Self.refused("\(error)") }
        guard let nodes = document["keys"]?.elements else { throw Self.refused("it has no list of keys") }
        guard nodes.count <= Self.maximumKeys else { throw Self.refused("it has more than \(Self.maximumKeys) keys") }
        var keys: [TokenKey] = []
        for node in nodes {
            guard let key = try await TokenKey(node) else { continue }
            guard !keys.contains(where: { $0.algorithm == key.algorithm && $0.keyID == key.keyID }) else {
                throw Self.refused("two keys for \(key.algorithm.rawValue) have the same kid")
            }
            keys.append(key)
        }
        self.keys = keys
    }

    /// The key a token names; without a name, the only one for its algorithm.
    func key(for token: CompactToken) -> TokenKey? {
        let candidates = keys.filter { $0.algorithm == token.algorithm }
        guard let keyID = token.keyID else { return candidates.count == 1 ? candidates.first : nil }
        return candidates.first { $0.keyID.map { $0.utf8.elementsEqual(keyID.utf8) } ?? false }
    }

    private static func refused(_ why: String) -> BearerTokenError {
        BearerTokenError(.keysUnavailable, "the key set is refused: \(why)")
    }
}
