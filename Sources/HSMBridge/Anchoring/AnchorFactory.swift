import Token

/// Imports, wraps and unwraps anchors on a session.
enum AnchorFactory {
    /// What an anchor may do in the token: multiply, and nothing else.
    private static let usage: [Attribute] = [
        .objectClass(.privateKey), .keyType(.ec), .flag(.private, true), .flag(.derive, true), .flag(.sign, false),
        .flag(.decrypt, false), .flag(.unwrap, false), .allowedMechanisms([.ecdh1Derive]),
    ]

    /// An anchor at rest in the token or unwrapped into it.
    private static func guarded(_ identifier: [UInt8], isTokenObject: Bool) -> [Attribute] {
        usage + KeyTemplate.residentGuard + [.flag(.token, isTokenObject), .bytes(.id, identifier)]
    }

    /// Takes a scalar in as a session object, wraps it and destroys the extractable original in the same visit to the token thread.
    static func importWrapped(
        _ send: AnchorDelivery.Sender, session: borrowing Session, wrappingKey: ObjectHandle
    ) throws(HSMError) -> AnchorBlob {
        let movable = usage + [.flag(.token, false), .flag(.sensitive, true), .flag(.extractable, true)]
        let original = try receive(send, as: KeyTemplate(movable), session: session)
        return AnchorBlob(
            identifier: SystemRandom.bytes(16), storage: .wrapped(try session.wrapAway(original, under: wrappingKey)))
    }

    /// Takes a scalar in as a token object that was never extractable there, on a read-write session.
    static func importObject(
        _ send: AnchorDelivery.Sender, instance: String, session: borrowing Session
    ) throws(HSMError) -> AnchorBlob {
        let blob = AnchorBlob(identifier: SystemRandom.bytes(16), storage: .object)
        let label = AnchorBlob.label(instance: instance, identifier: blob.identifier)
        // In this order: SoftHSM refuses every attribute after CKA_MODIFIABLE of an unwrapped key.
        let template = guarded(blob.identifier, isTokenObject: true) + [.label(label), .flag(.modifiable, false)]
        _ = try receive(send, as: KeyTemplate(template), session: session)
        return blob
    }

    /// Unwraps an anchor into `keeper`.
    static func unwrap(
        _ wrapped: [UInt8], identifier: [UInt8], keeper: borrowing Session, wrappingKey: ObjectHandle
    ) throws(HSMError) -> ObjectHandle {
        try keeper.unwrap(
            wrapped, under: wrappingKey, .aesKeyWrapPad, KeyTemplate(guarded(identifier, isTokenObject: false)))
    }

    /// The token object of an anchor; nil if it is not there. A search reads every object: never for a request that
    /// finds the handle elsewhere.
    static func find(
        _ identifier: [UInt8], instance: String, session: borrowing Session
    ) throws(HSMError) -> ObjectHandle? {
        let label = AnchorBlob.label(instance: instance, identifier: identifier)
        let found = try session.find(.search(.privateKey, id: identifier, label: label))
        guard found.count < 2 else {
            throw HSMError(.keyMismatch, "The token holds \(found.count) keys '\(label)'.")
        }
        return found.first
    }

    /// x coordinates of the multiples of points, 32 bytes each, big-endian.
    static func multiply(
        _ points: [[UInt8]], by anchor: ObjectHandle, session: borrowing Session
    ) throws(HSMError) -> [[UInt8]] {
        var products: [[UInt8]] = []
        for point in points {
            let object = try session.derive(anchor, point: point, product)
            let value: [UInt8]?
            do throws(HSMError) {
                value = try session.attribute(.value, of: object)
            } catch {
                try? session.destroy(object)
                throw error
            }
            try session.destroy(object)
            guard let value, value.count == EllipticCurve.bn254.coordinateLength else {
                throw HSMError(.deviceFailure, "The token derived \(value?.count ?? 0) bytes instead of 32.")
            }
            products.append(session.door.answer(value, of: "C_DeriveKey"))
        }
        return products
    }

    /// A product is readable, which is what a multiplier is for.
    private static let product: KeyTemplate = [
        .objectClass(.secretKey), .keyType(.genericSecret), .flag(.token, false), .flag(.private, true),
        .flag(.sensitive, false), .flag(.extractable, true), .number(.valueLength, 32),
    ]

    // MARK: Import

    /// Agrees on a key with the sender and unwraps what was sent under it.
    ///
    /// The agreed x coordinate is the AES key itself: tokens of PKCS #11 2.40 know no KDF here, and it is used once.
    private static func receive(
        _ send: AnchorDelivery.Sender, as template: KeyTemplate, session: borrowing Session
    ) throws(HSMError) -> ObjectHandle {
        let curve = EllipticCurve.p256
        let pair = try session.generateEphemeralPair(on: curve)
        defer {
            try? session.destroy(pair.publicKey)
            try? session.destroy(pair.privateKey)
        }
        guard let point = try session.attribute(.ecPoint, of: pair.publicKey).flatMap(curve.point(fromAttribute:))
        else { throw HSMError(.deviceFailure, "The token does not show the point of a public key.") }
        let delivery = try send(point)
        let agreed = try session.derive(
            pair.privateKey, point: delivery.publicKey,
            [
                .objectClass(.secretKey), .keyType(.aes), .number(.valueLength, 32), .flag(.token, false),
                .flag(.private, true), .flag(.sensitive, true), .flag(.extractable, false), .flag(.encrypt, false),
                .flag(.decrypt, false), .flag(.wrap, false), .flag(.unwrap, true),
                .allowedMechanisms([.aesKeyWrapPad]),
            ])
        defer { try? session.destroy(agreed) }
        return try session.unwrap(delivery.wrapped, under: agreed, .aesKeyWrapPad, template)
    }
}
