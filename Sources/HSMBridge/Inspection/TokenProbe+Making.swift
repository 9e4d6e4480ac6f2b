import CP11Kit
import Encodings
import Token

/// The throw-away objects of probes.
extension TokenProbe {
    /// What the labels of a probe's token objects begin with.
    static let labelPrefix = "kmsd-probe/"

    static func newLabel() -> String { labelPrefix + Hexadecimal.encode(SystemRandom.bytes(16)) }

    /// Whether a probe made an object of this label. What only begins so is somebody's own, and is not removed.
    static func isLabel(_ label: String) -> Bool {
        label.startsExactly(with: labelPrefix)
            && Hexadecimal.decode(String(label.dropFirst(labelPrefix.count)))?.count == 16
    }

    /// Destroys what an interrupted probe left behind.
    ///
    /// - Returns: What the token answered for each object that stays. tpm2-pkcs11 destroys none that it failed to use in the
    ///   same process.
    @discardableResult
    static func sweep(_ open: @Sendable () throws(HSMError) -> Session) throws(HSMError) -> [String] {
        let session = try open()
        var answers: [String] = []
        for object in try Provisioner.labelled(labelPrefix, session) where isLabel(object.label) {
            do throws(HSMError) {
                try session.destroy(object.handle)
            } catch {
                guard !error.isLostSession else { throw error }
                answers.append(error.cause.map { "\($0)" } ?? error.message)
            }
        }
        return answers
    }

    /// Whether the token makes any session object at all. tpm2-pkcs11 makes none.
    static func makesSessionObjects(
        _ open: @escaping @Sendable () throws(HSMError) -> Session
    ) throws(HSMError) -> Bool {
        var attempt = try TokenProbe(label: nil, open)
        defer { attempt.cleanUp() }
        for isPair in [false, true] {
            do throws(HSMError) {
                if isPair {
                    _ = try attempt.generatePair(.p256, [.flag(.sign, true)], publicUsage: [.flag(.verify, true)])
                } else {
                    _ = try attempt.generateAES([], [.flag(.encrypt, true)])
                }
                return true
            } catch {
                guard !error.isLostSession else { throw error }
            }
        }
        return false
    }

    /// - Parameter isStrict: Whether a key without the restrictions of the template is of no use.
    mutating func generateAES(
        _ mechanisms: [MechanismType], _ usage: [Attribute], isStrict: Bool = false
    ) throws(HSMError) -> ObjectHandle {
        try make(Self.secret(.aes, mechanisms, [.number(.valueLength, 32)] + usage), isStrict: isStrict) {
            (session, template) throws(HSMError) in
            try session.generateKey(.aesKeyGeneration, template)
        }
    }

    mutating func generatePair(
        _ curve: EllipticCurve, _ usage: [Attribute], publicUsage: [Attribute]
    ) throws(HSMError) -> (publicKey: ObjectHandle, privateKey: ObjectHandle) {
        let publicTemplate = persistent(
            KeyTemplate([
                .flag(.token, false), .flag(.private, false), .bytes(.ecParameters, curve.parameters),
            ]) + publicUsage)
        let privateTemplate =
            KeyTemplate([.flag(.token, false), .flag(.private, true), .flag(.sensitive, true)]) + usage
        var publicKey = ObjectHandle()
        do throws(HSMError) {
            let privateKey = try make(privateTemplate, isStrict: false) { (session, template) throws(HSMError) in
                let pair = try session.generateKeyPair(
                    curve.isEdwards ? .edwardsKeyPairGeneration : .ecKeyPairGeneration, publicKey: publicTemplate,
                    privateKey: template)
                publicKey = pair.publicKey
                return pair.privateKey
            }
            created.append(publicKey)
            return (publicKey, privateKey)
        } catch {
            // Some answer as they do to a failure: then the other curve decides.
            guard error.returnValue?.mayMeanCannot == true, curve != .p256,
                (try? generatePair(.p256, usage, publicUsage: publicUsage)) != nil
            else { throw error }
            isUntried = false
            throw HSMError(.mechanismUnsupported, error.message, cause: error.cause)
        }
    }

    /// Makes a key, noting whether the token refused without saying that it never could.
    mutating func make(
        _ template: KeyTemplate, isStrict: Bool,
        _ body: (borrowing Session, KeyTemplate) throws(HSMError) -> ObjectHandle
    ) throws(HSMError) -> ObjectHandle {
        let template = persistent(template)
        let handle: ObjectHandle
        do throws(HSMError) {
            handle = try body(session, template)
        } catch {
            guard let value = error.returnValue, value.saysCannot || value.mayMeanCannot,
                !Self.final.contains(value.rawValue)
            else { throw error }
            let plain = template.without([.allowedMechanisms, .unwrapTemplate])
            guard plain != template, let unrestricted = try? body(session, plain) else {
                isUntried = true
                throw error
            }
            created.append(unrestricted)
            guard !isStrict else { throw HSMError(.mechanismUnsupported, error.message, cause: error.cause) }
            handle = unrestricted
            remark = "with a key without restrictions: the token refuses them (\(error.cause.map { "\($0)" } ?? ""))"
        }
        if !created.contains(handle) { created.append(handle) }
        return handle
    }

    /// The template for a token object, where session objects cannot be made.
    func persistent(_ template: KeyTemplate) -> KeyTemplate {
        guard let label else { return template }
        return KeyTemplate(template.attributes.filter { $0.type != .token })
            + [.flag(.token, true), .label(label), .bytes(.id, SystemRandom.bytes(16))]
    }

    /// Answers about the mechanism or the curve itself, whatever the object.
    private static let final: Set<UInt> = [
        UInt(CKR_MECHANISM_INVALID), UInt(CKR_MECHANISM_PARAM_INVALID), UInt(CKR_CURVE_NOT_SUPPORTED),
        UInt(CKR_DOMAIN_PARAMS_INVALID), UInt(CKR_KEY_SIZE_RANGE),
    ]

    /// Whether the module says truly of a key that it made that it was born and kept inside.
    mutating func tellsHistory() throws(HSMError) -> Double? {
        let history = try KeyHistory.probe(session)
        guard history.isKnown else {
            isUntried = true
            throw HSMError(.mechanismUnsupported, "The token makes no session key to look at.")
        }
        guard history.untold.isEmpty else {
            throw HSMError(
                .mechanismUnsupported,
                "Of a key that it just made it does not say \(history.untold.joined(separator: ", ")).")
        }
        return nil
    }
}
