import Encodings
public import Token

/// What a copy between two tokens did, or would do: one entry for each object that was chosen.
public struct TokenCopyReport: Encodable, Sendable {
    /// What became of one object.
    public enum Outcome: String, Encodable, Sendable {
        /// It is on the target, was proved there and read back.
        case copied
        /// It was on the target already: the same key, by use on both tokens, and no weaker.
        case present
        /// A rehearsal went well; nothing was written.
        case wouldCopy = "would-copy"
        /// It cannot be moved; `detail` says why and `remedy` what to do instead.
        case stays
        /// It was tried and is not on the target: what arrived was another key, or weaker, or its place is taken.
        case refused
        /// The copy ended before its turn came.
        case notTried = "not-tried"
    }

    public struct Entry: Encodable, Sendable {
        /// `private-key`, `secret-key`, `public-key`, `certificate`, `data` or `class-N`.
        public var objectClass: String
        /// Such as `EC P-256` or `AES-256`; nil for what is no key.
        public var kind: String?
        /// CKA_LABEL.
        public var label: String
        /// CKA_ID, hexadecimal.
        public var id: String
        public var outcome: Outcome
        /// How it moved or would move: mechanisms by the standard's names.
        public var route: String?
        /// What was done on both tokens to prove that it is the same.
        public var proof: String?
        public var detail: String?
        public var remedy: String?
        /// What cannot be carried and does no harm, such as the history of a key.
        public var notes: [String] = []

        init(_ object: CopiedObject) {
            objectClass = object.className
            kind = object.kind
            label = object.text
            id = Hexadecimal.encode(object.id)
            outcome = .notTried
        }
    }

    /// Why a copy ended before its end.
    public struct Stop: Encodable, Sendable {
        public var code: String
        public var message: String
    }

    public var from: TokenIdentity
    public var to: TokenIdentity
    public var isDryRun: Bool
    /// The key under which keys travelled; nil if none was needed.
    public var transport: String?
    /// Objects of an earlier copy that was interrupted: removed, or only counted by a rehearsal.
    public var leftovers = 0
    public var objects: [Entry] = []
    public var stopped: Stop?

    init(from: TokenIdentity, to: TokenIdentity, isDryRun: Bool) {
        self.from = from
        self.to = to
        self.isDryRun = isDryRun
    }

    /// Whether every object that was chosen is on the target, or would be.
    public var isComplete: Bool {
        stopped == nil && objects.allSatisfy { [.copied, .present, .wouldCopy].contains($0.outcome) }
    }
}
