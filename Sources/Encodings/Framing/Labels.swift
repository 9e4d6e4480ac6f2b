/// Every domain-separation string of keys, envelopes and records, in one list; a test proves that none repeats and that
/// none begins another.
///
/// A label enters a derivation or the associated data of one construction only, so that bytes made for one purpose are
/// never accepted for another. Labels are part of the stored formats: they are never edited, only added.
public enum Labels: String, CaseIterable, Sendable {
    /// Begins the associated data of ``RecordIdentity``.
    case recordIdentity = "kmsd/record-identity/v1"
    /// HKDF info of an envelope's key and commitment.
    case envelopeKeys = "kmsd/envelope/keys/v1"
    /// Begins the associated data of an envelope.
    case envelopeHeader = "kmsd/envelope/header/v1"
    /// HKDF info of the key that authenticates a keystore's rows.
    case rowAuthenticationKey = "kmsd/row-authentication/key/v1"
    /// Begins the authenticated form of a keystore's row.
    case keystoreRow = "kmsd/row/keystore/v1"
    /// Begins the part of a keystore's row that only a keystore with a vault has.
    case keystoreVault = "kmsd/row/vault-of-keystore/v1"
    /// Begins the authenticated form of a key's row.
    case keyRow = "kmsd/row/key/v1"
    /// HKDF info of the public name of a local file's key.
    case localFileIdentity = "kmsd/local-file/identity/v1"
    /// Begins a record of the audit chain.
    case auditRecord = "kmsd/audit/record/v1"
    /// Begins a record that also tells the epoch of the keystores' database.
    case auditRecord2 = "kmsd/audit/record/v2"
    /// Begins a record that also tells the epochs of every sealed database.
    case auditRecord3 = "kmsd/audit/record/v3"
    /// Begins what a checkpoint of the audit chain signs.
    case auditCheckpoint = "kmsd/audit/checkpoint/v1"
    /// Begins what a checkpoint signs that also tells the token's counter.
    case auditCheckpoint2 = "kmsd/audit/checkpoint/v2"
    /// Begins one step of the hash over all revocations.
    case auditRevocations = "kmsd/audit/revocations/v1"
    /// Begins the chain's head as the token keeps it.
    case auditHead = "kmsd/audit/head/v1"
    /// Begins a head as the token keeps it that also tells its time and the epochs of the databases.
    case auditHead2 = "kmsd/audit/head/v2"
    /// Begins what the seal of a database authenticates: its epoch and the sum over its rows.
    case databaseSeal = "kmsd/database/seal/v1"
    /// Begins what a row adds to the sum: its key and change number.
    case databaseElement = "kmsd/database/element/v1"
    /// Begins what a row's stamp authenticates: its key, change number and content.
    case databaseStamp = "kmsd/database/stamp/v1"
    /// Begins what a receipt signs.
    case receipt = "kmsd/receipt/v1"
    /// Begins what an attestation signs.
    case attestation = "kmsd/attestation/v1"
    /// Begins what the result key signs; the bridge to the token makes that form itself.
    case result = "kmsd/result/v1"
    /// Begins the HKDF info of what is sealed to the public half of a token's root lock key.
    case publicSeal = "kmsd/public-seal/v1"
    /// Begins what the audit key signs of a sealing key's public half and sealed secret, when both are made.
    case sealingSecret = "kmsd/sealing-secret/v1"
    /// Begins the HPKE info of what is sealed to a recovery key or to the public key of a lock slot.
    case hybridSlot = "kmsd/hybrid-slot/v1"
    /// HKDF info of the key that authenticates the list of lock slots.
    case slotListKey = "kmsd/slots/authentication-key/v1"
    /// Begins the authenticated form of the list of lock slots.
    case slotList = "kmsd/slots/list/v1"
    /// Begins what the audit key signs of what still needs its token.
    case tokenNeeds = "kmsd/slots/token-needs/v1"
    /// Begins what the next audit key signs when a chain goes over to it.
    case auditHandover = "kmsd/audit/handover/v1"
    /// HKDF info of the key by which two tokens prove that they open the same secret.
    case migrationProofKey = "kmsd/migration/proof-key/v1"
    /// Begins what that key authenticates.
    case migrationProof = "kmsd/migration/proof/v1"
    /// Begins one step of the hash over the lines of a migration's transcript.
    case migrationLine = "kmsd/migration/line/v1"
    /// Begins what both audit keys sign of a migration's transcript.
    case migrationTranscript = "kmsd/migration-transcript/v1"
    /// Begins the context under which a token seals an anchor of split keys.
    case anchor = "kmsd/anchor/v1"

    /// Begins the associated data of what a split wallet's master keeps.
    case splitMaster = "kmsd/split/master/v1"
    /// Begins the associated data of a user share.
    case splitUserShare = "kmsd/split/user-share/v1"
    /// Begins the associated data of a server share's correction.
    case splitServerShare = "kmsd/split/server-share/v1"
    /// Begins the hashed form of a split key's policy.
    case splitPolicy = "kmsd/split/policy/v1"

    /// Begins what the digest of a request to decrypt is taken over.
    case decryptionRequest = "kmsd/decryption/request/v1"
    /// Begins what the result key signs of an answer; that itself is the body of a result.
    case decryptionAnswer = "kmsd/decryption/answer/v1"
    /// Begins the hashed form of what an operator decided about decryptions.
    case decryptionPolicy = "kmsd/decryption/policy/v1"

    /// UTF-8.
    public var bytes: [UInt8] { Array(rawValue.utf8) }
}
