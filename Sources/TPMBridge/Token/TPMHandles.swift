import Token

/// Which persistent handle holds what, from a first one on.
struct TPMHandles: Sendable {
    /// Roles with a key of their own. The storage key itself wraps resident keys.
    static let roles: [KeyRole] = [.rootLock, .shareLockUser, .shareLockServer, .audit, .result]

    let first: UInt32

    init(_ first: UInt32) { self.first = first }

    var primary: UInt32 { first }

    subscript(role: KeyRole) -> UInt32 {
        switch role {
        case .residentWrap: first
        case .rootLock: first + 1
        case .shareLockUser: first + 2
        case .shareLockServer: first + 3
        case .audit: first + 4
        case .result: first + 6
        }
    }

    /// The attestation key, which has no role.
    var attestation: UInt32 { first + 5 }

    var attestationText: String { "0x" + String(attestation, radix: 16) }

    /// The index of the kept value: the owner's range (TCG Registry of Reserved TPM 2.0 Handles).
    var memory: UInt32 { 0x0181_0000 | first & 0xFFF0 | 0xA }

    /// The index of the counter of what was kept.
    var counter: UInt32 { memory + 1 }

    func text(_ role: KeyRole) -> String { "0x" + String(self[role], radix: 16) }
}
