import Keystores
import SecretMemory
import WorkingKeys

/// What the body of an agreement route asks for.
///
/// The wrap and unwrap routes serve two families: without a content key, wrap is a box; without a wrapped key, unwrap
/// opens a box, and one that does not open as such may be a sealed one.
enum AgreementCall: Sendable {
    case wrap(
        contentKey: SharedSecret, recipient: AgreementPublicKey, apu: [UInt8], apv: [UInt8], tag: [UInt8],
        options: WrapOptions)
    case unwrap(WrappedKey, sender: AgreementPublicKey?, tag: [UInt8])
    case easy(payload: [UInt8], nonce: [UInt8], peer: [UInt8])
    case easyOpen(box: [UInt8], nonce: [UInt8], peer: [UInt8], own: [UInt8], mayBeSealed: Bool)
    case sealOpen(box: [UInt8], own: [UInt8])

    /// - Parameter memory: The body, writable and in locked memory; the values in it are copied out.
    init(_ action: Target.Agreement, _ memory: UnsafeMutableRawBufferPointer, hasKey: Bool) throws {
        let bytes = UnsafeRawBufferPointer(memory)
        switch action {
        case .wrap:
            let members = try JSONMembers(
                bytes, ["cek", "recipient_pub_key", "apu", "apv", "tag", "epk_private", "use_xc20pkw"])
            guard members.isPresent(0) || !hasKey else {
                self = try Self.easy(bytes)
                return
            }
            guard let recipient = try Self.publicKey(members, 1) else {
                throw JSONError("'recipient_pub_key' is missing")
            }
            let apu = try members.optionalBytes(2) ?? []
            let apv = try members.optionalBytes(3) ?? []
            let tag = try members.optionalBytes(4) ?? []
            let usesXChaCha = try members.flag(6)
            // Last: reading the secrets may unescape them in place.
            let ephemeral = try Self.privateKey(members, 5, memory)
            let contentKey = try members.secret(0, unescapingIn: memory)
            let options = try Self.options(ephemeral, usesXChaCha)
            self = .wrap(
                contentKey: contentKey, recipient: recipient, apu: apu, apv: apv, tag: tag, options: options)
        case .unwrap:
            let members = try JSONMembers(bytes, ["wrapped_key", "sender_pub_key", "tag"])
            let names: [StaticString] = ["kid", "encryptedcek", "epk", "alg", "apu", "apv"]
            guard let wrapped = try members.optionalObject(0, names),
                wrapped.isPresent(1) || wrapped.optionalTextIsPresent(3)
            else {
                self = try Self.opening(bytes)
                return
            }
            guard let ephemeral = try Self.publicKey(wrapped, 2) else { throw JSONError("'epk' is missing") }
            self = .unwrap(
                WrappedKey(
                    keyID: try wrapped.optionalText(0) ?? "", encryptedCEK: try wrapped.bytes(1),
                    ephemeral: ephemeral, algorithm: try wrapped.text(3), apu: try wrapped.optionalBytes(4) ?? [],
                    apv: try wrapped.optionalBytes(5) ?? []),
                sender: try Self.publicKey(members, 1), tag: try members.optionalBytes(2) ?? [])
        case .easy: self = try Self.easy(bytes)
        case .easyOpen:
            let members = try JSONMembers(bytes, ["ciphertext", "nonce", "their_pub", "my_pub"])
            self = .easyOpen(
                box: try members.bytes(0), nonce: try members.bytes(1), peer: try members.bytes(2),
                own: try members.bytes(3), mayBeSealed: false)
        case .sealOpen:
            let members = try JSONMembers(bytes, ["ciphertext", "my_pub"])
            self = .sealOpen(box: try members.bytes(0), own: try members.bytes(1))
        }
    }

    private static func easy(_ bytes: UnsafeRawBufferPointer) throws -> AgreementCall {
        let members = try JSONMembers(bytes, ["payload", "nonce", "their_pub"])
        return .easy(payload: try members.nullableBytes(0), nonce: try members.bytes(1), peer: try members.bytes(2))
    }

    /// A sealed box carries its sender's key itself, so it needs neither nonce nor sender.
    private static func opening(_ bytes: UnsafeRawBufferPointer) throws -> AgreementCall {
        let members = try JSONMembers(bytes, ["ciphertext", "nonce", "their_pub", "my_pub"])
        guard members.isPresent(0) else { throw JSONError("neither 'wrapped_key' nor 'ciphertext' is given") }
        guard members.isPresent(1), members.isPresent(2) else {
            return .sealOpen(box: try members.bytes(0), own: try members.bytes(3))
        }
        return .easyOpen(
            box: try members.bytes(0), nonce: try members.bytes(1), peer: try members.bytes(2),
            own: try members.bytes(3), mayBeSealed: true)
    }

    /// An extension: the ephemeral key that the caller has fixed beforehand.
    private static func privateKey(
        _ members: JSONMembers, _ index: Int, _ memory: UnsafeMutableRawBufferPointer
    ) throws -> (publicKey: AgreementPublicKey, secret: SharedSecret)? {
        guard let object = try members.optionalObject(index, ["pubkey", "d"]) else { return nil }
        guard let publicKey = try publicKey(object, 0) else { throw JSONError("'epk_private' has no 'pubKey'") }
        return (publicKey, try object.secret(1, unescapingIn: object.part(of: memory)))
    }

    private static func options(
        _ ephemeral: (publicKey: AgreementPublicKey, secret: SharedSecret)?, _ usesXChaCha: Bool
    ) throws -> WrapOptions {
        do {
            return try WrapOptions(ephemeral: ephemeral, usesXChaCha: usesXChaCha)
        } catch {
            guard error.code == .invalidArgument else {
                throw KMSError(.overloaded, "No locked memory for keys is left; try again.", underlying: error)
            }
            throw JSONError("'epk_private': \(error.message)")
        }
    }

    private static func publicKey(_ members: JSONMembers, _ index: Int) throws -> AgreementPublicKey? {
        guard let object = try members.optionalObject(index, ["kid", "x", "y", "curve", "type"]) else { return nil }
        do {
            return try AgreementPublicKey(
                keyID: try object.optionalText(0) ?? "", curve: try object.text(3),
                type: try object.optionalText(4) ?? "", x: try object.bytes(1),
                y: try object.optionalBytes(2) ?? [])
        } catch let error as WorkingKeyError {
            throw JSONError(error.message)
        }
    }
}

extension JSONMembers {
    /// Whether the member is a text that is not empty.
    fileprivate func optionalTextIsPresent(_ index: Int) -> Bool {
        ((try? optionalText(index)) ?? nil)?.isEmpty == false
    }
}
