/// What is wrong with an attestation.
public struct AttestationFinding: Error, Codable, Sendable, Hashable {
    /// An open set: adding a code breaks no caller.
    public struct Code: RawRepresentable, Codable, Hashable, Sendable {
        public let rawValue: String
        public init(rawValue: String) { self.rawValue = rawValue }

        /// Nothing says whose audit key may sign.
        public static let auditKeyUnknown = Code(rawValue: "audit-key-unknown")
        /// Another audit key than the expected one.
        public static let auditKey = Code(rawValue: "audit-key")
        /// The statement was not signed by the audit key that it names.
        public static let signature = Code(rawValue: "signature")
        /// Another nonce than the expected one, or none of a nonce's length.
        public static let nonce = Code(rawValue: "nonce")
        /// The statement's parts do not belong together.
        public static let contradiction = Code(rawValue: "contradiction")
        /// A token's attributes are not those of a resident key.
        public static let attributes = Code(rawValue: "attributes")
        /// A TPM's structure does not have its form.
        public static let form = Code(rawValue: "tpm-form")
        /// The TPM says it of another key.
        public static let otherKey = Code(rawValue: "tpm-other-key")
        /// The key can leave the TPM, or came from outside.
        public static let keyAttributes = Code(rawValue: "tpm-key-attributes")
        /// What signed is no attestation key, or another one than the expected one.
        public static let attestationKey = Code(rawValue: "tpm-attestation-key")
        /// The attestation key did not sign this.
        public static let tpmSignature = Code(rawValue: "tpm-signature")
        /// The TPM made it for another nonce.
        public static let tpmNonce = Code(rawValue: "tpm-nonce")
        /// The keys are not below the storage key that names the TPM.
        public static let otherTPM = Code(rawValue: "tpm-other-tpm")
        /// The key is not resident, which was asked for.
        public static let notResident = Code(rawValue: "not-resident")
        /// The key was not born here, which was asked for.
        public static let notBornHere = Code(rawValue: "not-born-here")
    }

    public var code: Code
    public var message: String

    init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    static func form(_ why: String) -> AttestationFinding {
        AttestationFinding(.form, "A structure of the TPM is not readable: \(why).")
    }
}
