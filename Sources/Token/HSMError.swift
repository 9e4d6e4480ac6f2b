/// Why a token, or the bridge to it, refused or failed.
///
/// Equality in tests is by ``code``. The message names what failed, on which operand, and what to try; it holds no key
/// bytes and no PIN.
public struct HSMError: Error, Sendable, CustomStringConvertible {
    /// An open set: adding a code breaks no caller.
    public struct Code: RawRepresentable, Hashable, Sendable, Codable {
        public var rawValue: String

        public init(rawValue: String) { self.rawValue = rawValue }

        /// Out of reach now; retry later.
        public static let tokenUnavailable = Code(rawValue: "token-unavailable")
        /// The module answers, but no token matches the URI.
        public static let tokenNotFound = Code(rawValue: "token-not-found")
        /// A token matches the URI but is not the one that was provisioned.
        public static let tokenMismatch = Code(rawValue: "token-mismatch")
        /// The module file must not or cannot be loaded.
        public static let moduleRefused = Code(rawValue: "module-refused")
        /// The token refuses the PIN; never retried.
        public static let pinRefused = Code(rawValue: "pin-refused")
        /// The PIN cannot be read safely.
        public static let pinSourceRefused = Code(rawValue: "pin-source-refused")
        /// A key named by the manifest or by a caller is not there.
        public static let keyMissing = Code(rawValue: "key-missing")
        /// A key is there but is not the one that was provisioned.
        public static let keyMismatch = Code(rawValue: "key-mismatch")
        /// What the token keeps of the audit chain was put back, written by somebody else, or removed.
        public static let keptValueMismatch = Code(rawValue: "kept-value-mismatch")
        /// Wrong key, wrong context, altered or truncated: one code for all.
        public static let authenticationFailed = Code(rawValue: "authentication-failed")
        /// The token cannot do what was asked.
        public static let mechanismUnsupported = Code(rawValue: "mechanism-unsupported")
        /// The caller passed something outside the documented shape.
        public static let invalidArgument = Code(rawValue: "invalid-argument")
        /// The input has a size that the device does not take for this operation.
        public static let inputTooLong = Code(rawValue: "input-too-long")
        /// A bounded queue is full; retry later.
        public static let overloaded = Code(rawValue: "overloaded")
        /// No answer within the configured time.
        public static let deadlineExceeded = Code(rawValue: "deadline-exceeded")
        /// The token reports a failure of its own.
        public static let deviceFailure = Code(rawValue: "device-failure")
        /// The configuration cannot be used.
        public static let configurationRefused = Code(rawValue: "configuration-refused")
        /// The device refuses all authorization values for some time, after wrong ones; it heals by itself.
        public static let lockedOut = Code(rawValue: "locked-out")
        /// The machine's measured state (PCRs) is not one in which the keys may be used.
        public static let pcrMismatch = Code(rawValue: "pcr-mismatch")
        /// The token already holds keys of this instance.
        public static let alreadyProvisioned = Code(rawValue: "already-provisioned")
    }

    /// What the device, or the software between it and us, said.
    public struct Cause: Sendable, Equatable, CustomStringConvertible {
        /// The number as the standard's interface returns it: `CK_RV` of PKCS #11, `TSS2_RC` of a TPM.
        public var code: UInt64
        /// The code as its standard spells it, such as `CKR_PIN_INCORRECT`.
        public var name: String
        /// The function that returned it, such as `C_Login`.
        public var function: String

        public init(code: UInt64, name: String, function: String) {
            self.code = code
            self.name = name
            self.function = function
        }

        public var description: String { "\(name) from \(function)" }
    }

    public var code: Code
    public var message: String
    public var cause: Cause?

    public init(_ code: Code, _ message: String, cause: Cause? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }

    public var description: String {
        if let cause { "\(code.rawValue): \(message) [\(cause)]" } else { "\(code.rawValue): \(message)" }
    }
}

extension HSMError {
    /// One error for every way in which a sealed input can be wrong.
    package static let notAuthentic = HSMError(
        .authenticationFailed, "The input cannot be opened with this key and context.")

    /// The error as callers see it while the token is away.
    package static func outOfReach(_ error: HSMError) -> HSMError {
        error.code == .tokenUnavailable
            ? error : HSMError(.tokenUnavailable, "The token is out of reach: \(error.message)", cause: error.cause)
    }
}
