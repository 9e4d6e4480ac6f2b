/// Who answers: what the rows of the ``RouteTable`` call.
struct Controllers: Sendable {
    let operations: OperationController
    let agreement: AgreementController
    let multiMessage: MultiMessageController
    let keys: KeyController
    let attestation: AttestationController
    let keystores: KeystoreController
    let shares: ShareController
    var health: HealthController
    /// Without a chain that is followed its route is not there.
    var chain = ChainController()
    /// Nil: the routes of the first generation are not there.
    var legacy: LegacyController?
    /// Nil: this process is no vault.
    let vault: VaultController?
    /// Nil: this process does not co-sign.
    let authority: AuthorityController?

    /// Whether the role of split keys that a route is of runs here; true for every other route.
    func runs(_ dialect: Dialect) -> Bool {
        switch dialect {
        case .vault: vault != nil
        case .authority: authority != nil
        case .present, .firstGeneration: true
        }
    }
}
