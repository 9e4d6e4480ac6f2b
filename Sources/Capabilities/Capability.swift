internal import FoundationEssentials

/// A ZCAP-LD capability document as the TrustBloc key server writes it (edge-core zcapld).
///
/// `invocationTarget` and `caveats` are not mapped by the security context, so no proof covers them: a verifier takes
/// them from the stored root, never from a presented document.
public struct Capability: Codable, Sendable, Equatable {
    public static let context = "https://w3id.org/security/v2"

    public struct Target: Codable, Sendable, Equatable {
        public var id: String
        public var type: String

        public init(id: String, type: String) {
            self.id = id
            self.type = type
        }

        enum CodingKeys: String, CodingKey {
            case id = "ID"
            case type = "Type"
        }
    }

    public struct Caveat: Codable, Sendable, Equatable {
        public var type: String
        /// Seconds after the proof's `created`.
        public var duration: Int64?

        public init(type: String, duration: Int64?) {
            self.type = type
            self.duration = duration
        }
    }

    public var context: String
    public var id: String
    public var invoker: String?
    public var controller: String?
    public var delegator: String?
    public var parentCapability: String?
    public var allowedAction: [String]
    public var invocationTarget: Target
    public var caveats: [Caveat]?
    public var proof: [CapabilityProof]

    public init(
        id: String, invoker: String?, controller: String? = nil, delegator: String? = nil,
        parentCapability: String? = nil, allowedAction: [String], invocationTarget: Target, caveats: [Caveat]? = nil,
        proof: [CapabilityProof] = []
    ) {
        context = Self.context
        self.id = id
        self.invoker = invoker
        self.controller = controller
        self.delegator = delegator
        self.parentCapability = parentCapability
        self.allowedAction = allowedAction
        self.invocationTarget = invocationTarget
        self.caveats = caveats
        self.proof = proof
    }

    enum CodingKeys: String, CodingKey {
        case context = "@context"
        case id, invoker, controller, delegator, parentCapability, allowedAction, invocationTarget, caveats, proof
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        context = try container.decode(String.self, forKey: .context)
        id = try container.decode(String.self, forKey: .id)
        invoker = try container.decodeIfPresent(String.self, forKey: .invoker)
        controller = try container.decodeIfPresent(String.self, forKey: .controller)
        delegator = try container.decodeIfPresent(String.self, forKey: .delegator)
        parentCapability = try container.decodeIfPresent(String.self, forKey: .parentCapability)
        allowedAction = try container.decodeIfPresent([String].self, forKey: .allowedAction) ?? []
        invocationTarget = try container.decode(Target.self, forKey: .invocationTarget)
        caveats = try container.decodeIfPresent([Caveat].self, forKey: .caveats)
        proof = try container.decodeIfPresent([CapabilityProof].self, forKey: .proof) ?? []
    }

    /// Parses a document of at most 64 KiB.
    public init(json: [UInt8]) throws(CapabilityError) {
        guard json.count <= 65_536 else { throw .malformed("the capability is longer than 64 KiB") }
        do {
            self = try JSONDecoder().decode(Capability.self, from: Data(json))
        } catch {
            throw .malformed("the capability is not a document of the expected shape")
        }
        guard context == Self.context else { throw .malformed("@context is not \(Self.context)") }
        guard allowedAction.count <= 64, proof.count <= 4, (caveats?.count ?? 0) <= 16 else {
            throw .malformed("the capability holds too many actions, proofs or caveats")
        }
    }
}
