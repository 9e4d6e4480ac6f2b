import Capabilities
import EDV
package import Keystores
import OutboundHTTP
package import WorkingKeys

/// Opens encrypted data vaults for the keystores that name one, and tells their failures in the domain's words.
package struct EncryptedDataVaults: VaultOpening {
    /// Decides which servers may be called.
    let sender: any OutboundSending
    /// For one operation on a vault, whatever the number of its requests.
    let timeout: Duration

    package func invoker(of location: VaultLocation) throws -> String {
        try Self.parse(location).capability.invoker.description
    }

    package func check(url: String) throws {
        do { _ = try VaultAddress(url) } catch { throw KMSError(.invalidArgument, error.message) }
    }

    package func open(
        _ location: VaultLocation, keys: VaultKeys, signingKey: @escaping @Sendable () async throws -> WorkingKey
    ) throws -> any KeyVault {
        let (address, capability) = try Self.parse(location)
        return EncryptedDataVault(
            client: try VaultClient(
                address: address, capability: capability, recipient: keys.recipient, mac: keys.mac, sender: sender,
                timeout: timeout, signingKey: signingKey))
    }

    private static func parse(
        _ location: VaultLocation
    ) throws -> (address: VaultAddress, capability: VaultCapability) {
        do {
            let address = try VaultAddress(location.url)
            return (address, try VaultCapability(json: location.capability, vault: address.vault))
        } catch {
            throw KMSError(.invalidArgument, error.message)
        }
    }
}

/// One vault.
private struct EncryptedDataVault: KeyVault {
    let client: VaultClient

    func read(_ key: String) async throws -> [UInt8]? {
        do { return try await client.read(key) } catch { throw Self.translated(error) }
    }

    func write(_ value: [UInt8], for key: String) async throws {
        do { try await client.write(value, for: key) } catch { throw Self.translated(error) }
    }

    func remove(_ key: String) async throws {
        do { try await client.remove(key) } catch { throw Self.translated(error) }
    }

    /// Who makes a keystore can mend the address and the capability, so these are the caller's faults here.
    func probe() async throws {
        do { try await client.probe() } catch let error as EDVError
            where error.code == .invalidArgument || error.code == .unauthorized
        {
            throw KMSError(.invalidArgument, error.message, underlying: error)
        } catch {
            throw Self.translated(error)
        }
    }

    private static func translated(_ error: any Error) -> any Error {
        guard let error = error as? EDVError else { return error }
        return error.code == .internalFailure
            ? KMSError(.internal, "An internal error occurred.", underlying: error)
            : KMSError(.upstreamFailed, error.message, underlying: error, isPassing: error.isPassing)
    }
}
