import Capabilities
import EDV
import EnclaveLock
import Encodings
import Keystores
import TrustBlocImport
import WorkingKeys

extension TrustBlocImport {
    /// Brings a keystore whose keys are in a vault: fetches each named key with the old server's own keys and stores it
    /// anew, under names and keys of this daemon's. The old documents stay where they are.
    func bringVault(_ index: Int, _ keys: TrustBlocKeys, _ report: inout ImportReport) async throws {
        let keystore = dump.keystores[index]
        guard let names = vaultKeys[ExactText(keystore.id)] else {
            report.leave("keystore", keystore.id, "its keys are in a vault; give their ids with --vault-keys")
            return
        }
        guard let vault = keystore.vault else {
            report.leave("keystore", keystore.id, "its vault's record is incomplete")
            return
        }
        do {
            let location = VaultLocation(url: vault.url, capability: vault.capability)
            let own = try await keys.vaultKeys(
                of: vault, invoker: try Self.invoker(of: vault).publicKey, among: records)
            let signer = try WorkingKey(versions: [own.invoker], primary: 0)
            let old = try vaults.open(location, keys: VaultKeys(recipient: own.recipient, mac: own.mac)) { signer }
            _ = try await keystores.adoptDIDKey(own.invoker)
            // Shares prove themselves by the first key that opens.
            var isHere = false
            if !keys.sharing.contains(index) { isHere = try await adopt(keystore, at: location, &report) }
            for name in names {
                guard let keyset = try await fetch(name, old, index, keys, &report) else { continue }
                if !isHere { isHere = try await adopt(keystore, at: location, &report) }
                guard isHere else { return }
                try await store(keyset, name, keystore, &report)
            }
            if !isHere {
                report.leave("keystore", keystore.id, "no key in its vault opens with its shares, so they may be wrong")
            }
        } catch let error as TrustBlocError {
            report.leave("keystore", keystore.id, error.message)
        } catch let error as EDVError {
            report.leave("keystore", keystore.id, error.message)
        } catch let error as KMSError where Self.concernsOne(error) || error.code == .upstreamFailed {
            // One vault that is away ends nothing but its own keystore's part; a second run completes it.
            report.leave("keystore", keystore.id, error.message)
        }
    }

    private static func invoker(of vault: TrustBlocDump.Vault) throws(EDVError) -> DIDKey {
        try VaultCapability(json: vault.capability, vault: try VaultAddress(vault.url).vault).invoker
    }

    /// The keys of a document; nil if they cannot be brought, which is reported.
    private func fetch(
        _ name: String, _ vault: any KeyVault, _ index: Int, _ keys: TrustBlocKeys, _ report: inout ImportReport
    ) async throws -> TinkKeyset? {
        guard let record = try await vault.read(name) else {
            report.leave("key", name, "the vault of keystore \(dump.keystores[index].id) has no document of it")
            return nil
        }
        do {
            guard case .key(index, let keyset) = try await keys.find(name, record) else {
                report.leave("key", name, "its keystore's lock does not open it")
                return nil
            }
            return keyset
        } catch let error as TrustBlocError {
            report.leave("key", name, error.message)
            return nil
        }
    }

    private func store(
        _ keyset: TinkKeyset, _ name: String, _ keystore: TrustBlocDump.Keystore, _ report: inout ImportReport
    ) async throws {
        do {
            try await adopt(keyset, name, keystore, &report)
            if keyset.leftOut > 0 { report.leave("key", name, "\(keyset.leftOut) disabled or destroyed versions") }
        } catch let error as KMSError where Self.concernsOne(error) {
            report.leave("key", name, error.message)
        }
    }
}
