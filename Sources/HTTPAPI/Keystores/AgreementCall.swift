import Keystores
import SecretMemory
import WorkingKeys

/// What the body of an agreement route asks for.
///
/// The wrap and unwrap routes serve two families: without a content key, wrap is a box; without a wrapped key, unwrap
/// opens a box, and one that does not open as such may be a sealed one.
enum AgreementCall: Sendable {
    struct Wrap: Sendable {
        let contentKey: SharedSecret
        let recipient: AgreementPublicKey
        let apu: [UInt8]
        let apv: [UInt8]
        let tag: [UInt8]
        let options: WrapOptions
    }

    case wrap(Wrap)
    case unwrap(WrappedKey, sender: AgreementPublicKey?, tag: [UInt8])
    case easy(payload: [UInt8], nonce: [UInt8], peer: [UInt8])
    case easyOpen(box: [UInt8], nonce: [UInt8], peer: [UInt8], own: [UInt8], mayBeSealed: Bool)
    case sealOpen(box: [UInt8], own: [UInt8])

    /// - Parameter memory: The body, writable and in locked memory; the values in it are copied out.
    init(wrap memory: UnsafeMutableRawBufferPointer) throws {
        let bytes = UnsafeRawBufferPointer(memory)
        let body = try JSONBody<WrapBody>(bytes)
        if body.isPresent(.contentKey) {
            self = .wrap(try Wrap(body, memory))
        } else {
            self = try AgreementCall(try JSONBody<EasyBody>(bytes))
        }
    }

    /// - Parameter memory: As in ``init(wrap:)``.
    init(unwrap memory: UnsafeMutableRawBufferPointer) throws {
        let bytes = UnsafeRawBufferPointer(memory)
        let body = try JSONBody<UnwrapBody>(bytes)
        guard let wrapped = try body.object(.wrapped, WrappedKeyBody.self),
            wrapped.isPresent(.encryptedCEK) || Self.isText(.algorithm, in: wrapped)
        else {
            self = try Self.opening(bytes)
            return
        }
        guard let ephemeral = try AgreementPublicKey(try wrapped.object(.ephemeral, PublicKeyBody.self)) else {
            throw JSONError("'epk' is missing")
        }
        self = .unwrap(
            WrappedKey(
                keyID: try wrapped.optionalText(.keyID) ?? "", encryptedCEK: try wrapped.bytes(.encryptedCEK),
                ephemeral: ephemeral, algorithm: try wrapped.text(.algorithm),
                apu: try wrapped.optionalBytes(.apu) ?? [], apv: try wrapped.optionalBytes(.apv) ?? []),
            sender: try AgreementPublicKey(try body.object(.sender, PublicKeyBody.self)),
            tag: try body.optionalBytes(.tag) ?? [])
    }

    init(_ body: JSONBody<EasyBody>) throws(JSONError) {
        self = .easy(
            payload: try body.nullableBytes(.payload), nonce: try body.bytes(.nonce), peer: try body.bytes(.peer))
    }

    init(_ body: JSONBody<EasyOpenBody>, mayBeSealed: Bool) throws(JSONError) {
        self = .easyOpen(
            box: try body.bytes(.box), nonce: try body.bytes(.nonce), peer: try body.bytes(.peer),
            own: try body.bytes(.own), mayBeSealed: mayBeSealed)
    }

    init(_ body: JSONBody<SealOpenBody>) throws(JSONError) {
        self = .sealOpen(box: try body.bytes(.box), own: try body.bytes(.own))
    }

    /// A sealed box carries its sender's key itself, so it needs neither nonce nor sender.
    private static func opening(_ bytes: UnsafeRawBufferPointer) throws(JSONError) -> AgreementCall {
        let body = try JSONBody<EasyOpenBody>(bytes)
        guard body.isPresent(.box) else { throw JSONError("neither 'wrapped_key' nor 'ciphertext' is given") }
        guard body.isPresent(.nonce), body.isPresent(.peer) else {
            return .sealOpen(box: try body.bytes(.box), own: try body.bytes(.own))
        }
        return try AgreementCall(body, mayBeSealed: true)
    }

    /// Whether the member is a text that is not empty.
    private static func isText(_ key: WrappedKeyBody, in body: JSONBody<WrappedKeyBody>) -> Bool {
        ((try? body.optionalText(key)) ?? nil)?.isEmpty == false
    }
}

extension AgreementCall.Wrap {
    /// - Parameter memory: As in ``AgreementCall/init(wrap:)``.
    init(_ memory: UnsafeMutableRawBufferPointer) throws {
        try self.init(try JSONBody<WrapBody>(UnsafeRawBufferPointer(memory)), memory)
    }

    init(_ body: JSONBody<WrapBody>, _ memory: UnsafeMutableRawBufferPointer) throws {
        guard let recipient = try AgreementPublicKey(try body.object(.recipient, PublicKeyBody.self)) else {
            throw JSONError("'recipient_pub_key' is missing")
        }
        self.recipient = recipient
        apu = try body.optionalBytes(.apu) ?? []
        apv = try body.optionalBytes(.apv) ?? []
        tag = try body.optionalBytes(.tag) ?? []
        let usesXChaCha = try body.flag(.usesXChaCha)
        // Last: reading the secrets may unescape them in place.
        let ephemeral = try Self.privateKey(body, memory)
        contentKey = try body.secret(.contentKey, in: memory)
        options = try Self.options(ephemeral, usesXChaCha)
    }

    private static func privateKey(
        _ body: JSONBody<WrapBody>, _ memory: UnsafeMutableRawBufferPointer
    ) throws -> (publicKey: AgreementPublicKey, secret: SharedSecret)? {
        guard let object = try body.object(.ephemeral, EphemeralKeyBody.self) else { return nil }
        guard let publicKey = try AgreementPublicKey(try object.object(.publicKey, PublicKeyBody.self)) else {
            throw JSONError("'epk_private' has no 'pubKey'")
        }
        return (publicKey, try object.secret(.secret, in: memory))
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
}

extension AgreementPublicKey {
    /// Nil for an object that is absent.
    fileprivate init?(_ object: JSONBody<PublicKeyBody>?) throws {
        guard let object else { return nil }
        do {
            try self.init(
                keyID: try object.optionalText(.keyID) ?? "", curve: try object.text(.curve),
                type: try object.optionalText(.type) ?? "", x: try object.bytes(.x),
                y: try object.optionalBytes(.y) ?? [])
        } catch let error as WorkingKeyError {
            throw JSONError(error.message)
        }
    }
}
