/// A device that seals, signs and holds keys for the daemon: what the daemon puts under everything else.
public protocol TokenBackend: Sealing, ResultSigning, ResidentKeyOperations, RollbackProtectedStorage {
    func start()
    func shutdown() async
    var health: TokenHealth { get }
    var manifest: TokenManifest? { get }
    func waitUntilReady(timeout: Duration) async throws(HSMError)
    func provision(instance: String) async throws(HSMError) -> TokenManifest
    /// Makes what provisioning makes today and did not make when this device was provisioned.
    ///
    /// - Returns: The manifest to store; nil if nothing is missing.
    func completeProvisioning() async throws(HSMError) -> TokenManifest?
    @discardableResult
    func sweep(instance: String?) async throws(HSMError) -> [String]
}
