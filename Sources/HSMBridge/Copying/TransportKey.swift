import LibCrypto
import Token

/// The AES-256 key under which keys travel: on both tokens, for this copy alone, known to nobody else.
///
/// It is agreed by ECDH between a pair made on each token, or made on the source and brought over by RSA-OAEP under a pair
/// made on the target. It wraps on the source and unwraps on the target and does nothing else (a key that also decrypts
/// would open what it wraps), and it is a session object wherever the token makes one. That both tokens have the same key is
/// proved by the first thing that travels under it: a throw-away key, which must encrypt alike on both.
struct TransportKey {
    let source: ObjectHandle
    let target: ObjectHandle
    /// Such as `AES-256 agreed by ECDH on P-521`.
    let name: String
    /// The ways to wrap and unwrap that carried the throw-away key, in the order in which they are tried.
    let wrappings: [Wrapping]

    /// A mechanism to wrap with and one to unwrap with. The same number may mean different algorithms in two modules, and
    /// different numbers the same one.
    struct Wrapping: Hashable {
        let source: MechanismType
        let target: MechanismType

        var name: String { source == target ? source.name : "\(source.name) to \(target.name)" }

        static let all: [Wrapping] = [
            Wrapping(source: .aesKeyWrapKWP, target: .aesKeyWrapKWP),
            Wrapping(source: .aesKeyWrapKWP, target: .aesKeyWrapPad),
            Wrapping(source: .aesKeyWrapPad, target: .aesKeyWrapKWP),
            Wrapping(source: .aesKeyWrapPad, target: .aesKeyWrapPad),
            Wrapping(source: .aesKeyWrap, target: .aesKeyWrap),
        ]
    }

    /// Makes the strongest one that both tokens make and that is proved.
    ///
    /// - Parameter pair: Makes the target's RSA pair if it comes to that; nil if the two tokens have none in common.
    /// - Returns: nil with what each way failed by, if there is none.
    static func make(
        _ source: CopySide, _ target: CopySide, _ pair: () throws(HSMError) -> TransportPair?
    ) throws(HSMError) -> (key: TransportKey?, failures: [String]) {
        var failures: [String] = []
        // By strength: 256, 192, 128 (RSA-3072) and 128 bits.
        for curve in [EllipticCurve.p521, .p384] {
            let name = "AES-256 agreed by ECDH on \(curve.name)"
            if let key = try attempt(
                name, source, target, &failures,
                { () throws(HSMError) in
                    try agree(on: curve, source, target)
                })
            {
                return (key, failures)
            }
        }
        if let transport = try pair() {
            for hash in OAEPHash.allCases {
                let name = "AES-256 by RSA-OAEP (\(hash.rawValue)) under an RSA-\(TransportPair.bits) key of the target"
                if let key = try attempt(
                    name, source, target, &failures,
                    { () throws(HSMError) in
                        try send(by: hash, transport, source, target)
                    })
                {
                    return (key, failures)
                }
            }
        }
        let name = "AES-256 agreed by ECDH on P-256"
        let key = try attempt(name, source, target, &failures) { () throws(HSMError) in
            try agree(on: .p256, source, target)
        }
        return (key, failures)
    }

    private typealias Halves = (source: ObjectHandle, target: ObjectHandle)

    private static func attempt(
        _ name: String, _ source: CopySide, _ target: CopySide, _ failures: inout [String],
        _ make: () throws(HSMError) -> Halves
    ) throws(HSMError) -> TransportKey? {
        let halves: Halves
        do throws(HSMError) {
            halves = try make()
        } catch {
            guard error.isNoAnswer, !error.endsCopy else { throw error }
            failures.append("\(name): \(error.message)")
            return nil
        }
        var wrappings: [Wrapping] = []
        for wrapping in Wrapping.all {
            do throws(HSMError) {
                if try carries(halves, wrapping, source, target) { wrappings.append(wrapping) }
            } catch {
                guard error.isNoAnswer, !error.endsCopy else { throw error }
            }
        }
        guard !wrappings.isEmpty else {
            failures.append("\(name): no way of wrapping carries a key from the one token to the other")
            source.discard(halves.source)
            target.discard(halves.target)
            return nil
        }
        return TransportKey(source: halves.source, target: halves.target, name: name, wrappings: wrappings)
    }

    // MARK: Ways

    private static let guarded: [Attribute] = [
        .flag(.private, true), .flag(.sensitive, true), .flag(.encrypt, false), .flag(.decrypt, false),
    ]

    private static func half(wraps: Bool) -> KeyTemplate {
        KeyTemplate(
            guarded + [
                .objectClass(.secretKey), .keyType(.aes), .flag(.extractable, false), .flag(.wrap, wraps),
                .flag(.unwrap, !wraps),
            ])
    }

    private static func agree(
        on curve: EllipticCurve, _ source: CopySide, _ target: CopySide
    ) throws(HSMError) -> Halves {
        let (sourceKey, sourcePoint) = try pair(curve, source)
        defer { source.discard(sourceKey) }
        let (targetKey, targetPoint) = try pair(curve, target)
        defer { target.discard(targetKey) }
        let length: [Attribute] = [.number(.valueLength, 32)]
        let sourceHalf = try source.makeScratch(half(wraps: true) + length) { (session, template) throws(HSMError) in
            try session.derive(sourceKey, point: targetPoint, template)
        }
        let targetHalf = try target.makeScratch(half(wraps: false) + length) { (session, template) throws(HSMError) in
            try session.derive(targetKey, point: sourcePoint, template)
        }
        return (sourceHalf, targetHalf)
    }

    private static func pair(
        _ curve: EllipticCurve, _ side: CopySide
    ) throws(HSMError) -> (key: ObjectHandle, point: [UInt8]) {
        let publicHalf = try side.makePair(
            .ecKeyPairGeneration,
            publicKey: [.flag(.private, false), .flag(.verify, false), .bytes(.ecParameters, curve.parameters)],
            privateKey: [
                .flag(.private, true), .flag(.sensitive, true), .flag(.extractable, false), .flag(.derive, true),
                .flag(.sign, false),
            ])
        defer { side.discard(publicHalf.publicKey) }
        let told = try side.keep { session throws(HSMError) in
            try session.attribute(.ecPoint, of: publicHalf.publicKey)
        }
        guard let point = told.flatMap(curve.point(fromAttribute:)) else {
            throw HSMError(.mechanismUnsupported, "The token does not tell the point of a public key.").at(side.role)
        }
        return (publicHalf.privateKey, point)
    }

    private static func send(
        by hash: OAEPHash, _ transport: TransportPair, _ source: CopySide, _ target: CopySide
    ) throws(HSMError) -> Halves {
        let template: KeyTemplate = KeyTemplate(
            guarded + [
                .objectClass(.secretKey), .keyType(.aes), .flag(.extractable, true), .flag(.wrap, true),
                .flag(.unwrap, false), .number(.valueLength, 32),
            ])
        let sourceHalf = try source.makeScratch(template) { (session, template) throws(HSMError) in
            try session.generateKey(
                .aesKeyGeneration, template.without([.objectClass, .keyType]))
        }
        do throws(HSMError) {
            let wrapped = try source.use { session throws(HSMError) in
                try session.wrap(sourceHalf, under: transport.sourcePublicKey, .oaep(hash))
            }
            let targetHalf = try target.makeScratch(half(wraps: false)) { (session, template) throws(HSMError) in
                try session.unwrap(wrapped, under: transport.targetPrivateKey, .oaep(hash), template)
            }
            return (sourceHalf, targetHalf)
        } catch {
            source.discard(sourceHalf)
            throw error
        }
    }

    // MARK: Proof

    /// Whether a throw-away key that travels so is the same on both sides.
    private static func carries(
        _ halves: Halves, _ wrapping: Wrapping, _ source: CopySide, _ target: CopySide
    ) throws(HSMError) -> Bool {
        let usage: [Attribute] = guarded.filter { $0.type != .encrypt } + [.flag(.encrypt, true)]
        let made = try source.makeScratch(
            KeyTemplate(usage + [.flag(.extractable, true), .number(.valueLength, 32)])
        ) { (session, template) throws(HSMError) in
            try session.generateKey(.aesKeyGeneration, template)
        }
        defer { source.discard(made) }
        let wrapped = try source.use { session throws(HSMError) in
            try session.wrap(made, under: halves.source, wrapping.source)
        }
        let arrived = try target.makeScratch(
            KeyTemplate(usage + [.objectClass(.secretKey), .keyType(.aes), .flag(.extractable, false)])
        ) { (session, template) throws(HSMError) in
            try session.unwrap(wrapped, under: halves.target, wrapping.target, template)
        }
        defer { target.discard(arrived) }
        let challenge = SystemRandom.bytes(32)
        for mechanism in [Mechanism.plain(.aesECB), .vector(.aesCBC, SystemRandom.bytes(16))] {
            do throws(HSMError) {
                let here = try source.use { session throws(HSMError) in
                    try session.encrypt(mechanism, key: made, challenge)
                }
                let there = try target.use { session throws(HSMError) in
                    try session.encrypt(mechanism, key: arrived, challenge)
                }
                return here == there && here.count >= challenge.count && here.prefix(32) != challenge[...]
            } catch {
                guard error.mayMeanRefusal else { throw error }
            }
        }
        return false
    }
}
