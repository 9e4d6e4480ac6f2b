import Encodings

/// The usable keys of a JSON Web Key Set (RFC 7517 §5).
///
/// Keys that cannot be used say nothing about the others: they are passed over. Only two different keys for one name and
/// algorithm make a set that means nothing.
struct KeySet: Sendable {
    static let maximumBytes = 256 * 1024
    /// Usable keys of a set; those beyond are passed over.
    static let maximumKeys = 256
    /// Keys that a token without a name is tried against.
    static let maximumTries = 16
    /// Keys of which the operator is told one by one.
    private static let maximumTold = 16

    let keys: [TokenKey]
    /// What was passed over and why, a line for each key up to a bound; for the operator's log.
    let ignored: [String]
    /// What a token without a name is tried against.
    private let unnamed: [BearerAlgorithm: [TokenKey]]

    init(reading body: [UInt8]) throws(BearerTokenError) {
        guard body.count <= Self.maximumBytes else {
            throw Self.refused("it is larger than \(Self.maximumBytes) bytes")
        }
        var keys: [TokenKey] = []
        var ignored: [String] = []
        var untold = 0
        func pass(_ name: @autoclosure () -> String, _ why: @autoclosure () -> String) {
            if ignored.count < Self.maximumTold { ignored.append("\(name()): \(why())") } else { untold += 1 }
        }
        for (index, text) in try Self.elements(body).enumerated() {
            let node: JSONNode
            do throws(StrictJSONError) { node = try JSONNode(reading: Array(text)) } catch {
                pass(Self.name(nil, index), error.message(about: "it"))
                continue
            }
            let name = { Self.name(node["kid"]?.text, index) }
            let key: TokenKey
            do throws(TokenKey.Unusable) { key = try TokenKey(node) } catch {
                pass(name(), error.reason)
                continue
            }
            // Without a name two keys claim none, so they do not contradict each other.
            let rival = keys.first {
                $0.algorithm == key.algorithm && $0.keyID == key.keyID && (key.keyID != nil || $0.isSameKey(as: key))
            }
            if let rival {
                guard rival.isSameKey(as: key) else {
                    throw Self.refused("two different keys for \(key.algorithm.rawValue) have the same kid")
                }
                pass(name(), "it is there twice")
            } else if keys.count == Self.maximumKeys {
                pass(name(), "there are \(Self.maximumKeys) usable keys before it, and more are not used")
            } else {
                keys.append(key)
            }
        }
        if untold > 0 { ignored.append("and \(untold) more keys") }
        var unnamed: [BearerAlgorithm: [TokenKey]] = [:]
        for algorithm in BearerAlgorithm.allCases {
            let different = Self.different(keys.filter { $0.algorithm == algorithm })
            unnamed[algorithm] = Array(different.prefix(Self.maximumTries))
            guard different.count > Self.maximumTries else { continue }
            ignored.append(
                "tokens without kid are tried against \(Self.maximumTries) of the \(different.count) keys for "
                    + algorithm.rawValue)
        }
        self.keys = keys
        self.ignored = ignored
        self.unnamed = unnamed
    }

    /// The text of each key. They are read one by one, so that what is wrong with one stays with it.
    private static func elements(_ body: [UInt8]) throws(BearerTokenError) -> [ArraySlice<UInt8>] {
        do throws(KeySetFrame.Problem) { return try KeySetFrame.keys(in: body) } catch {
            switch error {
            case .noList: throw refused("it is not an object with a list of keys")
            case .twoLists: throw refused("it has two lists of keys")
            case .malformed(let position): throw refused("it is not valid JSON at byte \(position)")
            }
        }
    }

    /// The key a token names; without a name, those for its algorithm, as many as are tried.
    func keys(for token: CompactToken) -> [TokenKey] {
        guard let keyID = token.keyID else { return unnamed[token.algorithm] ?? [] }
        return keys.first { $0.algorithm == token.algorithm && $0.keyID == keyID }.map { [$0] } ?? []
    }

    /// One key of two names is still one key. Those without a name come first: tokens without one are theirs.
    private static func different(_ keys: [TokenKey]) -> [TokenKey] {
        let ordered = keys.filter { $0.keyID == nil } + keys.filter { $0.keyID != nil }
        return ordered.reduce(into: []) { found, key in
            if !found.contains(where: { $0.isSameKey(as: key) }) { found.append(key) }
        }
    }

    /// How a key is told to the operator: its place, and its name if that is harmless.
    private static func name(_ keyID: String?, _ index: Int) -> String {
        guard let keyID, NamingText.problem(keyID, limit: 128) == nil else { return "key \(index + 1)" }
        return "key \(index + 1) ('\(keyID)')"
    }

    private static func refused(_ why: String) -> BearerTokenError {
        BearerTokenError(.keysUnavailable, "the key set is refused: \(why)")
    }
}
