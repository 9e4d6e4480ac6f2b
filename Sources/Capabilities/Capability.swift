public import Encodings
internal import FoundationEssentials

/// A ZCAP-LD capability document as the TrustBloc key server writes it (edge-core zcapld).
///
/// `invocationTarget` and `caveats` are not mapped by the security context, so no proof covers them: a verifier takes
/// them from the stored root, never from a presented document.
public struct Capability: Codable, Sendable, Equatable {
    public static let context = "https://w3id.org/security/v2"

    public struct Target: Codable, Sendable, Equatable {
        public var id: ExactText
        public var type: ExactText

        public init(id: String, type: String) {
            self.id = ExactText(id)
            self.type = ExactText(type)
        }

        enum CodingKeys: String, CodingKey {
            case id = "ID"
            case type = "Type"
        }
    }

    public struct Caveat: Codable, Sendable, Equatable {
        public var type: ExactText
        /// Seconds after the proof's `created`.
        public var duration: Int64?

        public init(type: String, duration: Int64?) {
            self.type = ExactText(type)
            self.duration = duration
        }
    }

    public var context: ExactText
    public var id: ExactText
    public var invoker: ExactText?
    public var controller: ExactText?
    public var delegator: ExactText?
    public var parentCapability: ExactText?
    public var allowedAction: [ExactText]
    public var invocationTarget: Target
    public var caveats: [Caveat]?
    public var proof: [CapabilityProof]

    public init(
        id: String, invoker: String?, controller: String? = nil, delegator: String? = nil,
        parentCapability: String? = nil, allowedAction: [String], invocationTarget: Target, caveats: [Caveat]? = nil,
        proof: [CapabilityProof] = []
    ) {
        context = ExactText(Self.context)
        self.id = ExactText(id)
        self.invoker = invoker.map { ExactText($0) }
        self.controller = controller.map { ExactText($0) }
        self.delegator = delegator.map { ExactText($0) }
        self.parentCapability = parentCapability.map { ExactText($0) }
        self.allowedAction = allowedAction.map { ExactText($0) }
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
        context = try container.decode(ExactText.self, forKey: .context)
        id = try container.decode(ExactText.self, forKey: .id)
        invoker = try container.decodeIfPresent(ExactText.self, forKey: .invoker)
        controller = try container.decodeIfPresent(ExactText.self, forKey: .controller)
        delegator = try container.decodeIfPresent(ExactText.self, forKey: .delegator)
        parentCapability = try container.decodeIfPresent(ExactText.self, forKey: .parentCapability)
        allowedAction = try container.decodeIfPresent([ExactText].self, forKey: .allowedAction) ?? []
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
