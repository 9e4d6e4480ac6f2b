import Encodings

/// What the daemon knows about its token since provisioning: enough to refuse any other token and any other key.
///
/// Holds no secret. A token that carries the same label but another serial number, a key with another check value, or
/// a key that does not open its sentinel is never used.
public struct TokenManifest: Codable, Sendable, Equatable {
    /// One key of the daemon on the token.
    public struct Key: Codable, Sendable, Equatable {
        /// CKA_ID, 16 random bytes in hex.
        public var id: String
        /// CKA_LABEL: `kmsd/<instance>/<role>/<version>`.
        public var label: String
        public var kind: KeyKind
        /// Hexadecimal. Key pairs: SHA-256 of the SubjectPublicKeyInfo. AES: CKA_CHECK_VALUE; empty, which is unknown and
        /// equal to nothing, if the token has none.
        public var fingerprint: String
        /// Hex: a random value that must open before the key is used. A sealing key's is sealed under it, a wrapping
        /// key's under a throw-away key that is wrapped under it. Nil for pairs that sign, for wrapping keys of tokens
        /// that wrap nothing, and for those of manifests that are older than this.
        public var sentinel: String?
        /// Hex, pairs that seal only: the audit key's signature, r ‖ s, that this public half and this sentinel are the
        /// token's. Anybody can seal to a public key; nobody else can sign.
        public var proof: String?
        /// Hex, pairs only: the public half, 04 ‖ X ‖ Y, or the modulus of an RSA key, whose exponent is 65537. Nil in
        /// manifests that are older than this: then the token keeps it as an object of its own.
        public var publicKey: String?
        /// Attributes that the token refused and the operator allowed to do without; see ``DispensableAttribute``.
        public var without: [String]?

        /// Whether nothing on record tells the key from another one of its name.
        public var isUnproved: Bool { fingerprint.isEmpty && sentinel == nil }

        public init(
            id: String, label: String, kind: KeyKind, fingerprint: String, sentinel: String?, publicKey: String? = nil,
            without: [String]? = nil
        ) {
            self.id = id
            self.label = label
            self.kind = kind
            self.fingerprint = fingerprint
            self.sentinel = sentinel
            self.publicKey = publicKey
            self.without = without
        }
    }

    /// Format version of this record; 1.
    public var format: Int
    /// 16 random bytes in hex, drawn once per daemon installation.
    public var instance: String
    public var token: TokenIdentity
    /// By ``KeyRole`` raw value, so that the JSON is an object.
    public var keys: [String: Key]  // exact: names of roles, which this program writes.

    // exact: names of roles, which this program writes.
    public init(format: Int = 1, instance: String, token: TokenIdentity, keys: [String: Key]) {
        self.format = format
        self.instance = instance
        self.token = token
        self.keys = keys
    }

    public subscript(role: KeyRole) -> Key? {
        get { keys[role.rawValue] }
        set { keys[role.rawValue] = newValue }
    }

    /// The roles that the token was provisioned without, by an earlier version of the daemon.
    ///
    /// Not among them: a wrapping key on a token that may make none.
    public var missingRoles: [KeyRole] {
        KeyRole.allCases.filter { self[$0] == nil && !($0 == .residentWrap && mayLackWrapping) }
    }

    /// Whether a PKCS #11 token was provisioned by a version that recorded less to know its keys by.
    public var lacksProofs: Bool {
        keys.values.contains { key in
            (key.kind == .aes256Wrap && key.sentinel == nil) || (key.kind.isPair && key.publicKey == nil)
        }
    }

    /// A fresh instance id: 16 random bytes in hex.
    public static func makeInstance() -> String { Hexadecimal.encode(SystemRandom.bytes(16)) }

    /// Whether `text` has the form of an instance id.
    package static func isInstance(_ text: String) -> Bool { Hexadecimal.decode(text)?.count == 16 }

    /// The prefix of every label of an instance's objects.
    package static func labelPrefix(instance: String) -> String { "kmsd/\(instance)/" }

    /// The label of a role's first key.
    package static func label(instance: String, role: KeyRole) -> String {
        "\(labelPrefix(instance: instance))\(role.rawValue)/1"
    }

    /// The associated data of a role's sentinel.
    package static func sentinelContext(instance: String, role: KeyRole) -> [UInt8] {
        Array("kmsd/\(instance)/\(role.rawValue)/sentinel".utf8)
    }
}
