import Encodings
import LibCrypto
import Testing
import Token

@testable import Attestation

/// Statements that the right audit key signed and that are wrong all the same; and statements that somebody else made.
@Suite(.timeLimit(.minutes(10))) struct AttestationAttackTests {
    @Test func whatAnHonestDaemonSaysHolds() throws {
        let forger = try Forger()
        #expect(try forger.finding(try forger.statement()) == nil)
        #expect(try forger.finding(try forger.onToken()) == nil)
        for provenance in ["born-in-daemon", "imported", "migrated"] {
            #expect(try forger.finding(try forger.sealed(provenance)) == nil)
        }
        var strict = try forger.verifier()
        strict.requirements = [.resident, .bornHere]
        let fingerprint = Hexadecimal.encode(try Digest.sha256(forger.attestationKey.subjectPublicKeyInfo))
        strict.attestationKey = fingerprint
        let report = strict.verify(try forger.sign(try forger.statement()))
        #expect(report.isGood && report.auditKeyIsExpected && report.attestationKeyIsExpected)
        #expect(report.attestationKey == fingerprint && report.basis == "tpm")
    }

    @Test func anImportedKeyIsNotBornHere() throws {
        let forger = try Forger()
        var verifier = try forger.verifier { $0.requirements = [.bornHere] }
        #expect(verifier.verify(try forger.sign(try forger.sealed("born-in-daemon"))).isGood)
        for provenance in ["imported", "migrated"] {
            let honest = try forger.sign(try forger.sealed(provenance))
            #expect(verifier.verify(honest).finding?.code == .notBornHere)
            // The same with the word changed behind the signature.
            var changed = honest
            changed.statement.provenance = "born-in-daemon"
            #expect(verifier.verify(changed).finding?.code == .signature)
        }
        // What no honest daemon says together.
        #expect(try forger.finding(try forger.sealed("born-in-token")) == .contradiction)
        var resident = try forger.statement()
        resident.provenance = "imported"
        #expect(try forger.finding(resident) == .contradiction)
        verifier.requirements = [.resident]
        #expect(verifier.verify(try forger.sign(try forger.sealed("imported"))).finding?.code == .notResident)
    }

    @Test func aKeyPutIntoTheTPMIsNotBornThere() throws {
        var forger = try Forger()
        forger.keyAttributes &= ~(1 << 5)
        #expect(try forger.finding(try forger.statement()) == .keyAttributes)
        for bit in [UInt32(1 << 1), 1 << 4] {
            forger.keyAttributes = Forger.bound & ~bit
            #expect(try forger.finding(try forger.statement()) == .keyAttributes)
        }
        for bit in [UInt32(1 << 11), 1 << 16] {
            forger.keyAttributes = Forger.bound | bit
            #expect(try forger.finding(try forger.statement()) == .keyAttributes)
        }
        for bit in [UInt32(1), 1 << 3, 1 << 8, 1 << 19, 1 << 31] {
            forger.keyAttributes = Forger.bound | bit
            #expect(try forger.finding(try forger.statement()) == .form)
        }
    }

    @Test func theAttestationKeySignsOnlyWhatTheTPMMade() throws {
        var forger = try Forger()
        for attributes in [Forger.bound, Forger.bound | Forger.restricted | 1 << 17] {
            forger.signerAttributes = attributes
            #expect(try forger.finding(try forger.statement()) == .attestationKey)
        }
        for bit in [UInt32(1 << 1), 1 << 4, 1 << 5, 1 << 18] {
            forger.signerAttributes = (Forger.bound | Forger.restricted) & ~bit
            #expect(try forger.finding(try forger.statement()) == .attestationKey)
        }
        forger = try Forger()
        forger.signingKey = try SigningKey.generate(.p256)
        #expect(try forger.finding(try forger.statement()) == .tpmSignature)
        forger = try Forger()
        forger.magic = 0xFF54_4348
        #expect(try forger.finding(try forger.statement()) == .form)
        forger = try Forger()
        // TPM_ST_ATTEST_QUOTE.
        forger.type = 0x8018
        #expect(try forger.finding(try forger.statement()) == .form)
        forger = try Forger()
        let other = try forger.verifier { $0.attestationKey = String(repeating: "00", count: 32) }
        #expect(other.verify(try forger.sign(try forger.statement())).finding?.code == .attestationKey)
        // Where a TPM's word is expected a token's is not enough; a sealed key claims neither.
        #expect(other.verify(try forger.sign(try forger.onToken())).finding?.code == .attestationKey)
        #expect(other.verify(try forger.sign(try forger.sealed("imported"))).isGood)
    }

    @Test func anotherKeysCertificationProvesNothing() throws {
        let forger = try Forger()
        let other = try Forger()
        // The whole evidence of another key below the same TPM.
        var swapped = try forger.statement()
        var thief = try Forger()
        thief.storageName = forger.storageName
        swapped.evidence = AttestationStatement.Evidence(.tpm(try thief.evidence()))
        #expect(try forger.finding(swapped) == .otherKey)
        // The TPM's words of another key beside this one's public area.
        var misled = forger
        misled.certifiedName = try Forger.name(Forger.publicArea(other.key, Forger.bound))
        #expect(try forger.finding(try misled.mixed(audit: forger)) == .otherKey)
        var mistyped = try forger.statement()
        mistyped.keyType = "HMACSHA256Tag256"
        #expect(try forger.finding(mistyped) == .otherKey)
        mistyped.keyType = "NISTP256ECDHKW"
        #expect(try forger.finding(mistyped) == .otherKey)
        mistyped.keyType = "ECDSAP384DER"
        #expect(try forger.finding(mistyped) == .otherKey)
        mistyped.keyType = "RSA"
        #expect(try forger.finding(mistyped) == .contradiction)
    }

    @Test func theKeysAreBelowTheNamedTPMsStorageKey() throws {
        let elsewhere = [0x00, 0x0B] + [UInt8](repeating: 9, count: 32)
        var forger = try Forger()
        forger.parentOfKey = elsewhere
        #expect(try forger.finding(try forger.statement()) == .otherTPM)
        forger = try Forger()
        forger.parentOfSigner = elsewhere
        #expect(try forger.finding(try forger.statement()) == .otherTPM)
        for serial in ["", "1234", "zz", String(repeating: "00", count: 34)] {
            var statement = try Forger().statement()
            let signer = try Forger()
            statement.auditKey = HexBytes(signer.audit.subjectPublicKeyInfo)
            statement.token.serial = serial
            #expect(try signer.finding(statement) == .otherTPM)
        }
    }

    @Test func anotherNonceIsRefused() throws {
        var forger = try Forger()
        let other = try forger.verifier { $0.nonce = [UInt8](repeating: 1, count: 32) }
        #expect(other.verify(try forger.sign(try forger.statement())).finding?.code == .nonce)
        // The TPM's old words in a fresh statement.
        forger.extraData = [UInt8](repeating: 1, count: 32)
        #expect(try forger.finding(try forger.statement()) == .tpmNonce)
        forger.extraData = Forger.nonce + [0]
        #expect(try forger.finding(try forger.statement()) == .tpmNonce)
        let any = try forger.verifier { $0.nonce = nil }
        for count in [0, 15, 65] {
            var statement = try forger.sealed("imported")
            statement.nonce = HexBytes([UInt8](repeating: 1, count: count))
            #expect(any.verify(try forger.sign(statement)).finding?.code == .nonce)
        }
        // Longer than a hash: the TPM sees its SHA-256.
        forger.extraData = try Digest.sha256([UInt8](repeating: 2, count: 64))
        var long = try forger.statement()
        long.nonce = HexBytes([UInt8](repeating: 2, count: 64))
        #expect(any.verify(try forger.sign(long)).isGood)
    }

    @Test func theAuditKeyMustBeKnown() throws {
        let forger = try Forger()
        let attestation = try forger.sign(try forger.statement())
        #expect(AttestationVerifier().verify(attestation).finding?.code == .auditKeyUnknown)
        var first = AttestationVerifier()
        first.acceptsAnyAuditKey = true
        let report = first.verify(attestation)
        #expect(report.isGood && !report.auditKeyIsExpected && !report.attestationKeyIsExpected)
        #expect(try Forger().verifier().verify(attestation).finding?.code == .auditKey)
        // An expected key is never given up for the one that is named.
        let both = try Forger().verifier { $0.acceptsAnyAuditKey = true }
        #expect(both.verify(attestation).finding?.code == .auditKey)
        var foreign = try forger.statement()
        foreign.auditKey = HexBytes([1, 2, 3])
        #expect(try forger.finding(foreign) == .auditKey)
    }

    @Test(arguments: 0..<11) func aTokenThatWouldGiveKeysOutIsTold(_ number: Int) throws {
        let changes: [(inout PKCS11Evidence) -> Void] = [
            { $0.key.extractable = true }, { $0.key.sensitive = false }, { $0.key.extractable = nil },
            { $0.key.mechanisms = ["CKM_ECDSA", "CKM_ECDH1_DERIVE"] }, { $0.key.mechanisms = nil },
            { $0.key.objectClass = "CKO_SECRET_KEY" }, { $0.key.keyType = "CKK_AES" },
            { $0.wrappingKey.neverExtractable = false }, { $0.wrappingKey.local = nil },
            { $0.wrappingKey.extractable = true }, { $0.wrappingKey.mechanisms = ["CKM_AES_ECB"] },
        ]
        let forger = try Forger()
        #expect(try forger.finding(try forger.onToken(changes[number])) == .attributes)
    }

    /// A module that says of no key that it was born in it does not accuse this one; one that does, does.
    @Test func whatAModuleNeverTellsAccusesNobody() throws {
        let forger = try Forger()
        func finding(_ change: (inout PKCS11Evidence) -> Void) throws -> AttestationFinding.Code? {
            try forger.finding(try forger.onToken(change))
        }
        #expect(try finding { $0.wrappingKey.local = false } == .attributes)
        #expect(
            try finding {
                $0.wrappingKey.local = false
                $0.untold = ["CKA_LOCAL"]
            } == nil)
        #expect(
            try finding {
                $0.wrappingKey.neverExtractable = false
                $0.untold = ["CKA_LOCAL"]
            } == .attributes)
        #expect(
            try finding {
                $0.wrappingKey.extractable = true
                $0.untold = ["CKA_LOCAL", "CKA_EXTRACTABLE"]
            } == .attributes)
    }

    @Test func evidenceIsOfOneKind() throws {
        let forger = try Forger()
        var both = try forger.statement()
        both.evidence.pkcs11 = try forger.onToken().evidence.pkcs11
        #expect(try forger.finding(both) == .contradiction)
        var none = try forger.statement()
        none.evidence.tpm = nil
        #expect(try forger.finding(none) == .contradiction)
        var more = try forger.sealed("imported")
        more.evidence.tpm = try forger.statement().evidence.tpm
        #expect(try forger.finding(more) == .contradiction)
        var empty = try forger.sealed("imported")
        empty.evidence.locks = []
        #expect(try forger.finding(empty) == .contradiction)
        var unbound = try forger.sealed("imported")
        unbound.fingerprint = HexBytes([UInt8](repeating: 0, count: 32))
        #expect(try forger.finding(unbound) == .contradiction)
        unbound.fingerprint = nil
        #expect(try forger.finding(unbound) == .contradiction)
    }
}

extension Forger {
    /// Its TPM's words in a statement that another forger's audit key signs.
    func mixed(audit other: Forger) throws -> AttestationStatement {
        var statement = try other.statement()
        statement.evidence = AttestationStatement.Evidence(.tpm(try evidence()))
        return statement
    }
}
