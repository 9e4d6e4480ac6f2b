import EnclaveLock
import Encodings
import KMSConfiguration
import Keystores
import Migration
import Token

/// The two tokens of a migration.
extension MigrationWork {
    /// The home's own token, which is there.
    static func source(_ work: RecordedWork) throws -> any TokenBackend {
        guard let token = work.application.token else {
            throw ConfigurationError(
                "a migration needs the token of this home; give --token-uri, and not 'without-token'")
        }
        return token
    }

    /// The settings that reach the target; its manifest is in the migration's directory.
    func targetSettings(_ address: String) throws -> Configuration {
        try settings.ofToken(address, home: place.directory, operand: "--to")
    }

    /// How to reach the target.
    ///
    /// - Parameter manifest: What it was provisioned as; nil before.
    func targetBackend(_ address: String, manifest: TokenManifest?) throws -> BackendConfiguration {
        let other = try targetSettings(address)
        do {
            return try BackendConfiguration(other, manifest: manifest)
        } catch let error as ConfigurationError {
            // It speaks of the setting that names a home's own token.
            throw ConfigurationError("--to: \(error.message)")
        }
    }

    /// Which token the target is: another one than the source, and that of a migration under way.
    ///
    /// - Returns: With the address that it was found by.
    func identity(of source: any TokenBackend) async throws -> (TokenIdentity, address: String) {
        let state = try state(of: source)
        guard let address = address ?? state?.address else {
            throw CommandFailure(
                .usage, code: "to", "Name the token that this home moves to by --to, as --token-uri names its own.")
        }
        if let state, try place.manifest.read() != nil {
            // That it is the same one is proved when it is used, by its manifest.
            return (state.target.token, address)
        }
        let backend = try targetBackend(address, manifest: nil)
        let identity = try await TokenWork.withBackend(backend) { token in
            guard case .ready(let identity) = token.health else {
                throw HSMError(.tokenUnavailable, "The target is out of reach.")
            }
            return identity
        }
        guard identity != source.manifest?.token else {
            throw CommandFailure(
                .failed, code: "same-token", "--to names the token that this home has already; nothing was changed.")
        }
        guard state == nil || state?.target.token == identity else {
            throw CommandFailure(
                .failed, code: "other-target",
                "A migration to the token '\(state?.target.token.label ?? "")' is under way; roll it back first.")
        }
        return (identity, address)
    }

    /// The migration under way; nil if there is none.
    ///
    /// - Throws: for one that began from another token, or has begun to end.
    func state(of source: any TokenBackend) throws -> MigrationState? {
        guard let state = try place.state() else { return nil }
        try place.refuseUnfinished()
        guard state.source.instance.isExactly(source.manifest?.instance ?? "") else {
            throw CommandFailure(
                .configuration, code: "migration",
                "'\(place.directory)' is of a migration from another token than this home has; move it away.")
        }
        return state
    }

    /// The migration under way, with the target's keys made.
    func begun(_ source: any TokenBackend) throws -> MigrationState {
        guard let state = try state(of: source), try place.manifest.read() != nil else { throw Self.none }
        return state
    }

    static var none: CommandFailure {
        CommandFailure(
            .failed, code: "no-migration", "Nothing has been moved yet: `kmsd migrate run` does.")
    }

    /// Runs a body with the target connected, which must be the one that was provisioned.
    func withTarget<R>(_ state: MigrationState, _ body: (any TokenBackend) async throws -> R) async throws -> R {
        guard let manifest = try place.manifest.read() else { throw Self.none }
        let backend = try targetBackend(address ?? state.address, manifest: manifest)
        return try await TokenWork.withBackend(backend, body)
    }

    /// Everything that the source seals, each file proved.
    func stores(
        _ work: RecordedWork, _ source: any TokenBackend, _ target: any TokenBackend
    ) async throws -> MigrationStores {
        try await MigrationStores(
            settings, source: source.sealingIdentity, target: target.sealingIdentity, store: work.application.store,
            proving: { seal in try await work.open(seal) })
    }
}
