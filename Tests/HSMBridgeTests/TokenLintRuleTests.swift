import Testing
import TextEncodings

@testable import HSMBridge

/// Each rule alone, on a role key that is perfect but for one attribute.
@Suite struct TokenLintRuleTests {
    private static let id = [UInt8](repeating: 7, count: 16)
    private static let instance = String(repeating: "0a", count: 16)

    private static func manifest(_ role: KeyRole) -> TokenManifest {
        let key = TokenManifest.Key(
            id: Hexadecimal.encode(id), label: TokenManifest.label(instance: instance, role: role), kind: role.kinds[0],
            fingerprint: "", sentinel: nil)
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
