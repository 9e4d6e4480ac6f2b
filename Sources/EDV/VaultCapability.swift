public import Capabilities
import Encodings

/// A capability that lets one of the daemon's keys read and write a vault.
public struct VaultCapability: Sendable {
    public let document: Capability
    /// The key that must sign every call.
    public let invoker: DIDKey
    let headers: [Action: String]

    /// What a call does, as the capability names it.
    enum Action: String, CaseIterable {
        case read, write
    }

    /// Reads a capability and checks that it can serve at all. Whether it holds is for the vault's server to say.
    ///
    /// - Parameters:
    ///   - json: The document, at most 64 KiB.
    ///   - vault: The id of the vault it must be for.
    /// - Throws: `.invalidArgument` saying what is missing.
    public init(json: [UInt8], vault: String) throws(EDVError) {
        let document: Capability
        var headers: [Action: String] = [:]
        do {
            document = try Capability(json: json)
            for action in Action.allCases {
                headers[action] = try Invocation(capability: document, action: action.rawValue).header()
            }
        } catch {
            throw EDVError(.invalidArgument, "The vault's capability cannot be read: \(error.message).")
        }
        guard let name = document.invoker, let invoker = DIDKey(name.text), name == invoker.description else {
            throw EDVError(
                .invalidArgument,
                "The vault's capability names no did:key URL with fragment as its invoker; delegate it to a key that "
                    + "POST /v1/keystores/did made.")
        }
        let missing = Action.allCases.filter { !document.allowedAction.contains(ExactText($0.rawValue)) }
        guard document.allowedAction.isEmpty || missing.isEmpty else {
            throw EDVError(.invalidArgument, "The vault's capability must allow both 'read' and 'write'.")
        }
        guard document.invocationTarget.id == vault else {
            throw EDVError(.invalidArgument, "The vault's capability is for another vault than the URL names.")
        }
        self.document = document
        self.invoker = invoker
        self.headers = headers
    }
}
