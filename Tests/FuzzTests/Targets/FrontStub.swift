import Encodings
import Foundation
import SecretMemory
import WorkingKeys

@testable import Keystores

/// A domain without keys: it answers with what it was asked, so that requests reach the end of every route.
struct FrontStub: KeystoreServing {
    private static let time = Date(timeIntervalSince1970: 1_800_000_000)

    private var keystoreData: KeystoreMetadata {
        KeystoreMetadata(
            id: "k", controller: "did:example:c", protection: .sealed,
            lockSlots: [.init(id: 1, kind: "localFile", identity: "file:00")], createdAt: Self.time)
    }

    private var keyData: KeyMetadata {
        KeyMetadata(
            id: "i", type: "ED25519", state: .enabled, protection: .sealed, provenance: .bornInDaemon,
            createdAt: Self.time, destroyAt: nil,
            versions: [.init(version: 1, createdAt: Self.time, primary: true)], publicKey: Data([1]))
    }

    func createKeystore(
        controller: String, protection: Protection, lock: String?, vault: VaultLocation?,
        caller: Caller,
        capability: @Sendable (String) throws -> [UInt8]?
    ) async throws -> KeystoreMetadata {
        _ = try capability("k")
        return keystoreData
    }

    func createDID() async throws -> String { "did:key:z" }
    func setVaultCapability(keystore: String, capability: [UInt8], caller: Caller) async throws {}
    func unverifiedRow(_ keystore: String) async throws -> UnverifiedKeystoreRow {
        UnverifiedKeystoreRow(controller: "did:example:c", capability: nil)
    }
    func rootCapability(_ keystore: String, caller: Caller) async throws -> [UInt8]? { nil }
    func createKey(keystore: String, type: String, caller: Caller) async throws -> CreatedKey {
        CreatedKey(id: "i", publicKey: [1])
    }

    func importKey(keystore: String, type: String, pkcs8: SharedSecret, keyID: String?, caller: Caller) async throws
        -> String
    {
        guard let type = KeyType(rawValue: type) else { throw KMSError(.invalidArgument, "no such type") }
        do {
            _ = try pkcs8.withSecret { try KeyMaterial.importing(pkcs8: $0, as: type) }
        } catch {
            throw KMSError(.invalidArgument, "the key is refused")
        }
        return keyID ?? "i"
    }

    func exportKey(keystore: String, key: String, caller: Caller) async throws -> (publicKey: [UInt8], type: String) {
        ([1], "ED25519")
    }
    func rotateKey(keystore: String, key: String, type: String, caller: Caller) async throws -> String { key }
    func sign(keystore: String, key: String, message: [UInt8], caller: Caller) async throws -> [UInt8] { message }
    func verify(keystore: String, key: String, signature: [UInt8], message: [UInt8], caller: Caller) async throws {}

    func encrypt(
        keystore: String, key: String, message: [UInt8], associatedData: [UInt8], caller: Caller
    ) async throws -> (ciphertext: [UInt8], nonce: [UInt8]) { (message, associatedData) }

    func decrypt(
        keystore: String, key: String, ciphertext: [UInt8], associatedData: [UInt8], nonce: [UInt8], caller: Caller
    ) async throws -> [UInt8] { ciphertext + nonce }

    func computeMAC(keystore: String, key: String, data: [UInt8], caller: Caller) async throws -> [UInt8] { data }
    func verifyMAC(keystore: String, key: String, mac: [UInt8], data: [UInt8], caller: Caller) async throws {}

    func wrap(
        keystore: String, contentKey: SharedSecret, recipient: AgreementPublicKey, apu: [UInt8], apv: [UInt8],
        options: WrapOptions, caller: Caller
    ) async throws -> WrappedKey {
        do {
            return try contentKey.withSecret { try KeyWrapping.wrap($0, for: recipient, apu: apu, apv: apv) }
        } catch {
            throw KMSError(.invalidArgument, "the recipient's key is refused")
        }
    }

    func wrap(
        keystore: String, sender: String, contentKey: SharedSecret, recipient: AgreementPublicKey, apu: [UInt8],
        apv: [UInt8], tag: [UInt8], options: WrapOptions, caller: Caller
    ) async throws -> WrappedKey {
        WrappedKey(
            keyID: sender, encryptedCEK: tag, ephemeral: recipient, algorithm: "ECDH-1PU+A256KW", apu: apu, apv: apv)
    }

    func unwrap(
        keystore: String, key: String, wrapped: WrappedKey, sender: AgreementPublicKey?, tag: [UInt8], caller: Caller
    ) async throws -> SharedSecret { SharedSecret(try SecretBytes.random(count: 32)) }

    func easy(
        keystore: String, key: String, payload: [UInt8], nonce: [UInt8], peer: [UInt8], caller: Caller
    ) async throws -> [UInt8] { payload + nonce + peer }

    func easyOpen(
        keystore: String, key: String?, box: [UInt8], nonce: [UInt8], peer: [UInt8], own: [UInt8], caller: Caller
    ) async throws -> [UInt8] { box + own }

    func sealOpen(keystore: String, key: String?, box: [UInt8], own: [UInt8], caller: Caller) async throws -> [UInt8] {
        box
    }
    func signMulti(keystore: String, key: String, messages: [[UInt8]], caller: Caller) async throws -> [UInt8] {
        messages.flatMap { $0 }
    }
    func verifyMulti(keystore: String, key: String, signature: [UInt8], messages: [[UInt8]], caller: Caller)
        async throws
    {}
    func deriveProof(keystore: String, key: String, _ request: ProofRequest, caller: Caller) async throws -> [UInt8] {
        request.nonce
    }

    func verifyProof(
        keystore: String, key: String, proof: [UInt8], messages: [[UInt8]], nonce: [UInt8], caller: Caller
    ) async throws {}

    func keystores(controller: String?, after: String?, limit: Int) async throws -> Page<KeystoreMetadata> {
        Page(items: [keystoreData], next: after)
    }

    func keystore(_ id: String, caller: Caller) async throws -> KeystoreMetadata { keystoreData }

    func keys(keystore: String, after: String?, limit: Int, caller: Caller) async throws -> Page<KeyMetadata> {
        Page(items: [keyData], next: after)
    }

    func key(keystore: String, key: String, caller: Caller) async throws -> KeyMetadata { keyData }

    func facts(keystore: String, key: String, nonce: [UInt8], caller: Caller) async throws -> KeyFacts {
        throw KMSError(.notFound, "there is no such key")
    }

    func disableKey(keystore: String, key: String, caller: Caller) async throws -> KeyMetadata { keyData }
    func enableKey(keystore: String, key: String, caller: Caller) async throws -> KeyMetadata { keyData }
    func destroyKey(keystore: String, key: String, grace: Duration?, caller: Caller) async throws -> KeyMetadata {
        keyData
    }
    func cancelDestruction(keystore: String, key: String, caller: Caller) async throws -> KeyMetadata { keyData }
    func sweep(_ didDestroy: @escaping @Sendable (KeyAddress) async -> Void) async throws -> Int { 0 }
    var readiness: [ReadinessProblem] { get async { [] } }
}
