import Synchronization
import WorkingKeys

@testable import Keystores

/// Vaults in memory: they keep what they are given, sign with the key they are told to, and can be made to fail.
final class MemoryVaults: VaultOpening {
    private struct State {
        var documents: [String: [UInt8]] = [:]
        var failure: KMSError?
        var steps: [String] = []
        var gate: Gate?
    }

    private let state = Mutex(State())
    private let did: String

    /// - Parameter did: The key that capabilities name.
    init(did: String) { self.did = did }

    var documents: [String: [UInt8]] {
        get { state.withLock { $0.documents } }
        set { state.withLock { $0.documents = newValue } }
    }
    var steps: [String] { state.withLock { $0.steps } }
    func fail(with failure: KMSError?) { state.withLock { $0.failure = failure } }
    /// Reads pass it.
    func hold(at gate: Gate?) { state.withLock { $0.gate = gate } }

    static let away = KMSError(.upstreamFailed, "The vault's server gave no usable answer.")

    func invoker(of location: VaultLocation) throws -> String {
        try check(url: location.url)
        return did
    }

    func check(url: String) throws {
        guard url.hasPrefix("https://") else { throw KMSError(.invalidArgument, "no vault") }
    }

    func open(
        _ location: VaultLocation, keys: VaultKeys, signingKey: @escaping @Sendable () async throws -> WorkingKey
    ) throws -> any KeyVault {
        MemoryVault(vaults: self, url: location.url, keys: keys, signingKey: signingKey)
    }

    fileprivate func step<R>(_ name: String, _ body: (inout [String: [UInt8]]) -> R) throws -> R {
        try state.withLock { state in
            state.steps.append(name)
            if let failure = state.failure { throw failure }
            return body(&state.documents)
        }
    }

    fileprivate func pass() async {
        let gate = state.withLock { state in
            return state.gate
        }
        await gate?.pass()
    }
}

private struct MemoryVault: KeyVault {
    let vaults: MemoryVaults
    let url: String
    let keys: VaultKeys
    let signingKey: @Sendable () async throws -> WorkingKey

    /// Documents are named by the MAC key, so that another keystore's are others.
    private func name(_ key: String) async throws -> String {
        _ = try await signingKey().sign(Array(key.utf8))
        return url + String(describing: try keys.mac.mac(Array(key.utf8)))
    }

    func read(_ key: String) async throws -> [UInt8]? {
        let name = try await name(key)
        await vaults.pass()
        return try vaults.step("read \(key)") { $0[name] }
    }

    func write(_ value: [UInt8], for key: String) async throws {
        let name = try await name(key)
        try vaults.step("write \(key)") { $0[name] = value }
    }

    func remove(_ key: String) async throws {
        let name = try await name(key)
        try vaults.step("remove \(key)") { $0[name] = nil }
    }

    func probe() async throws {
        _ = try await name("")
        try vaults.step("probe") { _ in }
    }
}
