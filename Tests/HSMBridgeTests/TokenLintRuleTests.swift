import Encodings
import Testing
import Token

@testable import HSMBridge

/// Each rule alone, on a role key that is perfect but for one attribute.
@Suite(.timeLimit(.minutes(10))) struct TokenLintRuleTests {
    private static let id = [UInt8](repeating: 7, count: 16)
    private static let instance = String(repeating: "0a", count: 16)

    private static func manifest(_ role: KeyRole) -> TokenManifest {
        let key = TokenManifest.Key(
            id: Hexadecimal.encode(id), label: TokenManifest.label(instance: instance, role: role), kind: role.kinds[0],
            fingerprint: "00", sentinel: nil)
        return TokenManifest(
            instance: instance, token: TokenIdentity(label: "t", serial: "s", manufacturer: "m", model: "x"),
            keys: [role.rawValue: key])
    }

    private static func perfect(_ role: KeyRole) -> ObjectSnapshot {
        let isPair = role.signs
        let uses: [AttributeType] =
            switch role.kinds[0] {
            case .aes256Seal: [.encrypt, .decrypt]
            case .aes256Wrap: [.wrap, .unwrap]
            case .ecdhSeal: [.derive]
            case .rsaSealSHA256, .rsaSealSHA1: [.decrypt]
            case .ecP256, .ecSecp256k1: [.sign]
            }
        var flags: [AttributeType: Bool] = [
            .private: true, .sensitive: true, .extractable: false, .modifiable: false, .local: true,
            .alwaysSensitive: true, .neverExtractable: true,
        ]
        for use in uses { flags[use] = true }
        let mechanism: MechanismType =
            switch role.kinds[0] {
            case .aes256Seal: .aesGCM
            case .aes256Wrap: .aesKeyWrapPad
            case .ecdhSeal: .ecdh1Derive
            case .rsaSealSHA256, .rsaSealSHA1: .rsaOAEP
            case .ecP256, .ecSecp256k1: .ecdsa
            }
        return ObjectSnapshot(
            objectClass: (isPair ? ObjectClass.privateKey : .secretKey).rawValue,
            label: TokenManifest.label(instance: instance, role: role), id: id, flags: flags,
            allowedMechanisms: [mechanism], hasUnwrapTemplate: role == .residentWrap)
    }

    private func bad(_ snapshot: ObjectSnapshot, _ role: KeyRole) -> Set<String> {
        let report = TokenLint.report([snapshot], token: Self.manifest(role).token, manifest: Self.manifest(role))
        return Set(report.objects.flatMap(\.findings).filter { $0.grade == .bad }.map(\.attribute))
    }

    @Test(arguments: KeyRole.allCases)
    func aPerfectKeyHasNoFinding(role: KeyRole) {
        let report = TokenLint.report(
            [Self.perfect(role)], token: Self.manifest(role).token, manifest: Self.manifest(role))
        #expect(report.grade == .ok, "\(report)")
        #expect(report.objects.count { $0.isManaged } == 1)
    }

    /// Every protective attribute, wrong or absent, is named and bad.
    @Test(arguments: [
        (AttributeType.private, false, "CKA_PRIVATE"), (.sensitive, false, "CKA_SENSITIVE"),
        (.extractable, true, "CKA_EXTRACTABLE"), (.modifiable, true, "CKA_MODIFIABLE"), (.local, false, "CKA_LOCAL"),
        (.alwaysSensitive, false, "CKA_ALWAYS_SENSITIVE"), (.neverExtractable, false, "CKA_NEVER_EXTRACTABLE"),
    ])
    func everyProtectionIsNeeded(type: AttributeType, value: Bool, name: String) {
        for role in KeyRole.allCases {
            for wrong in [value, nil] {
                var snapshot = Self.perfect(role)
                snapshot.flags[type] = wrong
                #expect(bad(snapshot, role).contains(name), "\(role) without \(name)")
            }
        }
    }

    /// A use that was added behind our back is named, whichever it is.
    @Test(arguments: [
        (AttributeType.encrypt, "CKA_ENCRYPT"), (.decrypt, "CKA_DECRYPT"), (.wrap, "CKA_WRAP"),
        (.unwrap, "CKA_UNWRAP"), (.sign, "CKA_SIGN"), (.verify, "CKA_VERIFY"), (.derive, "CKA_DERIVE"),
    ])
    func everyFurtherUseIsDrift(type: AttributeType, name: String) {
        for role in KeyRole.allCases where !Self.perfect(role).has(type) {
            var snapshot = Self.perfect(role)
            snapshot.flags[type] = true
            #expect(bad(snapshot, role).contains(name), "\(role) with \(name)")
        }
    }

    @Test(arguments: KeyRole.allCases)
    func furtherOrNoMechanismsAreDrift(role: KeyRole) {
        for mechanisms in [nil, [], [MechanismType.aesECB], [.aesGCM, .aesECB]] {
            var snapshot = Self.perfect(role)
            snapshot.allowedMechanisms = mechanisms
            #expect(bad(snapshot, role) == ["CKA_ALLOWED_MECHANISMS"])
        }
    }

    @Test func aWrappingKeyNeedsItsUnwrapTemplate() {
        var snapshot = Self.perfect(.residentWrap)
        snapshot.hasUnwrapTemplate = false
        #expect(bad(snapshot, .residentWrap) == ["CKA_UNWRAP_TEMPLATE"])
    }

    @Test func aTrustedKeyInTheClearIsNamed() {
        var snapshot = Self.perfect(.residentWrap)
        snapshot.flags[.private] = false
        snapshot.flags[.trusted] = true
        #expect(bad(snapshot, .residentWrap) == ["CKA_PRIVATE", "CKA_TRUSTED"])
    }

    private func findings(_ snapshots: [ObjectSnapshot], history: KeyHistory = .told) -> [String: LintReport.Grade] {
        let report = TokenLint.report(
            snapshots, token: Self.manifest(.rootLock).token, manifest: Self.manifest(.rootLock), history: history)
        let all = report.objects.flatMap(\.findings)
        return Dictionary(all.map { ($0.attribute, $0.grade) }, uniquingKeysWith: max)
    }

    private static func stranger(
        _ type: UInt, bits: Int? = nil, _ objectClass: ObjectClass = .privateKey
    ) -> ObjectSnapshot {
        var snapshot = perfect(.audit)
        snapshot.label = "stranger"
        snapshot.objectClass = objectClass.rawValue
        snapshot.keyType = type
        snapshot.bits = bits
        return snapshot
    }

    /// Java's keys are neither sensitive nor extractable: the token gives out the value of none that lacks either.
    @Test func onlyAKeyThatBothAttributesOpenIsReadable() {
        for (sensitive, extractable, isReadable) in [
            (false, false, false), (true, true, false), (false, true, true), (nil, nil, true), (nil, false, false),
        ] as [(Bool?, Bool?, Bool)] {
            var snapshot = Self.stranger(0)
            snapshot.flags[.sensitive] = sensitive
            snapshot.flags[.extractable] = extractable
            let isNamed = findings([snapshot])["CKA_SENSITIVE"] != nil
            #expect(isNamed == isReadable, "\(String(describing: sensitive)) \(String(describing: extractable))")
        }
    }

    @Test(
        arguments: [
            (0x00, 512, "CKA_MODULUS", LintReport.Grade.bad), (0x00, 1024, "CKA_MODULUS", .warning),
            (0x00, 2047, "CKA_MODULUS", .warning), (0x01, 512, "CKA_PRIME", .bad), (0x02, 1024, "CKA_PRIME", .warning),
            (0x13, nil, "CKA_KEY_TYPE", .bad), (0x12, nil, "CKA_KEY_TYPE", .bad), (0x11, nil, "CKA_KEY_TYPE", .bad),
            (0x14, nil, "CKA_KEY_TYPE", .warning), (0x15, nil, "CKA_KEY_TYPE", .warning),
            (0x10, 64, "CKA_VALUE_LEN", .bad), (0x28, 8, "CKA_VALUE_LEN", .bad), (0x2b, 64, "CKA_VALUE_LEN", .bad),
            (0x37, 64, "CKA_VALUE_LEN", .bad), (0x44, 64, "CKA_VALUE_LEN", .bad),
        ] as [(UInt, Int?, String, LintReport.Grade)])
    func weakKeysAreNamed(type: UInt, bits: Int?, name: String, grade: LintReport.Grade) {
        for objectClass in [ObjectClass.privateKey, .secretKey, .publicKey] {
            #expect(findings([Self.stranger(type, bits: bits, objectClass)])[name] == grade)
        }
    }

    @Test func strongKeysAreNot() {
        for (type, bits) in [(0, 2048), (0, 4096), (0x10, 256), (0x1f, 128), (3, nil)] as [(UInt, Int?)] {
            #expect(findings([Self.stranger(type, bits: bits)]).isEmpty)
        }
        var curve = Self.stranger(3)
        curve.curve = EllipticCurve.p256.parameters
        #expect(findings([curve]).isEmpty)
        curve.curve = [0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x01]
        #expect(findings([curve]) == ["CKA_EC_PARAMS": .bad])
    }

    @Test func namesThatOtherProgramsTripOverAreNamed() {
        var nameless = Self.stranger(0, bits: 2048)
        nameless.id = []
        #expect(findings([nameless]) == ["CKA_ID": .warning])
        var one = Self.stranger(0x1f, bits: 256, .secretKey)
        var other = one
        other.id = [1]
        #expect(findings([one, other]) == ["CKA_LABEL": .warning])
        other.label = "another"
        #expect(findings([one, other]).isEmpty)
        one.label = ""
        #expect(findings([one]) == ["CKA_LABEL": .warning])
    }

    /// NSS shows CKA_LOCAL as false for what it made itself.
    @Test func whatAModuleNeverTellsAccusesNobody() {
        var snapshot = Self.perfect(.rootLock)
        snapshot.flags[.local] = false
        #expect(findings([snapshot]) == ["CKA_LOCAL": .bad])
        #expect(findings([snapshot], history: KeyHistory(untold: ["CKA_LOCAL"], isKnown: true)).isEmpty)
        #expect(findings([snapshot], history: KeyHistory(untold: [], isKnown: false)) == ["CKA_LOCAL": .warning])
        snapshot.flags[.neverExtractable] = false
        #expect(
            findings([snapshot], history: KeyHistory(untold: ["CKA_LOCAL"], isKnown: true))
                == ["CKA_NEVER_EXTRACTABLE": .bad])
    }

    @Test func whatCannotBeReadIsAFindingOfItsObject() {
        var snapshot = Self.perfect(.rootLock)
        snapshot.allowedMechanisms = nil
        snapshot.unread = [.init(type: .allowedMechanisms, answer: "CKR_DEVICE_ERROR from C_GetAttributeValue")]
        #expect(findings([snapshot]) == ["CKA_ALLOWED_MECHANISMS": .warning])
    }

    /// What the operator allowed is told, and told as that.
    @Test func whatKeysWereMadeWithoutIsAWarning() {
        var manifest = Self.manifest(.rootLock)
        manifest[.rootLock]?.without = ["CKA_ALLOWED_MECHANISMS"]
        var snapshot = Self.perfect(.rootLock)
        snapshot.allowedMechanisms = nil
        let report = TokenLint.report([snapshot], token: manifest.token, manifest: manifest)
        #expect(report.objects.map(\.grade) == [.warning])
        #expect(report.objects.flatMap(\.findings).map(\.message).allSatisfy { $0.contains("--without") })
    }

    @Test func aKeyThatNothingProvesIsNamed() {
        var manifest = Self.manifest(.residentWrap)
        manifest[.residentWrap]?.fingerprint = ""
        let snapshot = Self.perfect(.residentWrap)
        #expect(TokenLint.report([snapshot], token: manifest.token, manifest: manifest).findings.count == 1)
        manifest[.residentWrap]?.sentinel = "00"
        #expect(TokenLint.report([snapshot], token: manifest.token, manifest: manifest).findings.isEmpty)
    }

    /// A stranger's key that can only leave under a trusted key is worth a word, not an alarm; ours may never leave.
    @Test func movableKeysAreGradedByOwner() {
        var snapshot = Self.perfect(.rootLock)
        snapshot.flags[.extractable] = true
        snapshot.flags[.wrapWithTrusted] = true
        #expect(bad(snapshot, .rootLock) == ["CKA_EXTRACTABLE"])
        snapshot.label = "stranger"
        let report = TokenLint.report([snapshot], token: Self.manifest(.rootLock).token, manifest: nil)
        #expect(report.objects.map(\.grade) == [.warning])
    }
}
