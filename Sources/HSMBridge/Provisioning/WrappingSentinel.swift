import SecretMemory
import Token

/// What a wrapping key must open to be the one that was provisioned: it can neither encrypt nor decrypt, so a throw-away
/// key wrapped under it stands in for it.
///
/// version(1) ‖ length(2, big-endian) ‖ the wrapped key ‖ a value sealed under that key (``SealedFormat``).
enum WrappingSentinel {
    private static let version: UInt8 = 1

    /// Makes one on a session of any kind; nothing stays in the token.
    static func make(
        _ session: borrowing Session, wrappingKey: ObjectHandle, iv: [UInt8], context: [UInt8]
    ) throws(HSMError) -> [UInt8] {
        let key = try session.generateKey(
            .aesKeyGeneration,
            KeyTemplate(
                common + [.number(.valueLength, 32), .flag(.sensitive, true), .flag(.extractable, true)]))
        let sealed: [UInt8]
        do throws(HSMError) {
            sealed = try SealedFormat.seal(try randomSecret(), session: session, key: key, iv: iv, context: context)
        } catch {
            try? session.destroy(key)
            throw error
        }
        let wrapped = try session.wrapAway(key, under: wrappingKey)
        return [version, UInt8(wrapped.count >> 8), UInt8(wrapped.count & 0xff)] + wrapped + sealed
    }

    /// - Throws: `.authenticationFailed` without a cause if the form is wrong, or what the module said.
    static func open(
        _ sentinel: [UInt8], session: borrowing Session, wrappingKey: ObjectHandle, context: [UInt8]
    ) throws(HSMError) {
        guard sentinel.count > 3, sentinel[0] == version else { throw HSMError.notAuthentic }
        let length = Int(sentinel[1]) << 8 | Int(sentinel[2])
        guard length > 0, sentinel.count > 3 + length else { throw HSMError.notAuthentic }
        let key = try session.unwrap(
            Array(sentinel[3..<3 + length]), under: wrappingKey, .aesKeyWrapPad,
            KeyTemplate(common + KeyTemplate.residentGuard))
        do throws(HSMError) {
            _ = try SealedFormat.open(Array(sentinel[(3 + length)...]), session: session, key: key, context: context)
        } catch {
            try? session.destroy(key)
            throw error
        }
        try session.destroy(key)
    }

    static func randomSecret() throws(HSMError) -> SharedSecret {
        do {
            return SharedSecret(try SecretBytes.random(count: 32))
        } catch {
            throw HSMError(.overloaded, "No locked memory for a secret: \(error).")
        }
    }

    private static let common: [Attribute] = [
        .objectClass(.secretKey), .keyType(.aes), .flag(.token, false), .flag(.private, true), .flag(.encrypt, true),
        .flag(.decrypt, true),
    ]
}
