import CP11Kit
import Token

/// Whether a key obeys the restrictions it was made with, by asking it for what they forbid.
enum RestrictionTrial {
    /// The attributes of `template` that the token keeps and does not enforce. NSS 3.87 enforces none of them.
    static func unenforced(
        _ template: KeyTemplate, _ kind: KeyKind, _ key: ObjectHandle, _ session: borrowing Session
    ) throws(HSMError) -> [DispensableAttribute] {
        let types = Set(template.attributes.map(\.type))
        var unenforced: [DispensableAttribute] = []
        if types.contains(.allowedMechanisms), try takesOtherMechanisms(kind, key, session) {
            unenforced.append(.allowedMechanisms)
        }
        if types.contains(.unwrapTemplate), try unwrapsReadably(key, session) { unenforced.append(.unwrapTemplate) }
        return unenforced
    }

    /// AES-ECB for a key that is for AES-GCM, the older padding for one that is for RSA-OAEP, a hash of the token's for
    /// one that signs.
    private static func takesOtherMechanisms(
        _ kind: KeyKind, _ key: ObjectHandle, _ session: borrowing Session
    ) throws(HSMError) -> Bool {
        let own = try another(session)
        switch kind {
        case .aes256Seal:
            return own.result(of: "C_EncryptInit") { functions, handle in
                Mechanism.plain(.aesECB).withCMechanism { functions.pointee.C_EncryptInit(handle, $0, key) }
            } == .ok
        case .aes256Wrap:
            // An operation that wraps has no beginning of its own; its usage flags allow it no other one.
            return false
        case .ecdhSeal:
            // An agreement has no beginning of its own either.
            return false
        case .rsaSealSHA256, .rsaSealSHA1:
            return own.result(of: "C_DecryptInit") { functions, handle in
                Mechanism.plain(.rsaPKCS1).withCMechanism { functions.pointee.C_DecryptInit(handle, $0, key) }
            } == .ok
        case .ecP256, .ecSecp256k1:
            return own.result(of: "C_SignInit") { functions, handle in
                Mechanism.plain(.ecdsaSHA256).withCMechanism { functions.pointee.C_SignInit(handle, $0, key) }
            } == .ok
        }
    }

    /// Wraps a throw-away key and asks for it as one that everybody may read.
    private static func unwrapsReadably(
        _ key: ObjectHandle, _ session: borrowing Session
    ) throws(HSMError) -> Bool {
        let own = try another(session)
        let wrapped: [UInt8]
        do throws(HSMError) {
            let victim = try own.generateKey(
                .aesKeyGeneration,
                [
                    .objectClass(.secretKey), .keyType(.aes), .number(.valueLength, 32), .flag(.token, false),
                    .flag(.private, true), .flag(.sensitive, true), .flag(.extractable, true), .flag(.encrypt, true),
                ])
            wrapped = try own.wrapAway(victim, under: key)
        } catch {
            guard !error.isLostSession else { throw error }
            // A key that wraps nothing unwraps nothing of ours.
            return false
        }
        let fresh = try another(session)
        do throws(HSMError) {
            let object = try fresh.unwrap(
                wrapped, under: key, .aesKeyWrapPad,
                [
                    .objectClass(.secretKey), .keyType(.aes), .flag(.token, false), .flag(.private, true),
                    .flag(.sensitive, false), .flag(.extractable, true), .flag(.encrypt, true),
                ])
            let isGuarded = try fresh.flag(.sensitive, of: object) == true
            try fresh.destroy(object)
            return !isGuarded
        } catch {
            guard !error.isLostSession else { throw error }
            return false
        }
    }

    /// A refusal may leave an operation active, so each question has a session.
    private static func another(_ session: borrowing Session) throws(HSMError) -> Session {
        try Session(door: session.door, slot: session.slot, epoch: session.epoch, access: .readWrite)
    }
}
