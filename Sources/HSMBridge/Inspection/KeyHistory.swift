import Token

/// Which attributes about a key's past a module tells truly.
///
/// A key that was just generated, sensitive and never extractable must show all of them as true. NSS 3.87 shows CKA_LOCAL as
/// false for every key that it makes, so there the attribute accuses nobody.
public struct KeyHistory: Sendable, Equatable {
    /// Attributes in the standard's spelling that say nothing on this module.
    public let untold: [String]
    /// False if the module made no key to ask: then nothing is known about what it tells.
    public let isKnown: Bool

    /// As the standard has it.
    public static let told = KeyHistory(untold: [], isKnown: true)

    func tells(_ type: AttributeType) -> Bool { isKnown && !untold.contains(type.name) }

    private static let attributes: [AttributeType] = [.local, .alwaysSensitive, .neverExtractable]

    /// Makes a throw-away session key and looks at it. Nothing is written to the token.
    static func probe(_ session: borrowing Session) throws(HSMError) -> KeyHistory {
        guard let key = try throwAway(session) else { return KeyHistory(untold: [], isKnown: false) }
        var untold: [String] = []
        for type in attributes where (try? session.flag(type, of: key)) != true { untold.append(type.name) }
        try? session.destroy(key)
        return KeyHistory(untold: untold, isKnown: true)
    }

    private static func throwAway(_ session: borrowing Session) throws(HSMError) -> ObjectHandle? {
        do throws(HSMError) {
            return try session.generateKey(
                .aesKeyGeneration,
                [
                    .objectClass(.secretKey), .keyType(.aes), .number(.valueLength, 32), .flag(.token, false),
                    .flag(.private, true), .flag(.sensitive, true), .flag(.extractable, false), .flag(.encrypt, true),
                ])
        } catch {
            guard !error.isLostSession else { throw error }
            return nil
        }
    }
}
