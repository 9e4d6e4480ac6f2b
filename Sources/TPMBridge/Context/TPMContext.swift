import CTSS2
import Glibc
import SecretMemory
import Token
import Workers

/// One ESYS context with its transport and one session: every call into the TSS passes here.
///
/// - Concurrency: one thread; an ESYS context is not thread-safe.
final class TPMContext {
    static let none = ESYS_TR(ESYS_TR_NONE)
    static let owner = ESYS_TR(ESYS_TR_RH_OWNER)

    let esys: OpaquePointer
    let transport: Transport
    private let interface: Interface
    /// The salted HMAC session; `none` until ``startSession(saltedBy:)``.
    private(set) var session = TPMContext.none
    /// What the storage key encrypts our salts with.
    private var saltKey = TPMContext.none
    /// How the objects with a policy are used, and new ones made; nil if ours have none.
    var policy: ActivePolicy?
    private var satisfying = TPMContext.none
    /// Whether the policy session was shown anything since the last use of an object.
    var isPolicyBegun = false
    /// The objects that want a policy.
    private(set) var policyBound: Set<ESYS_TR> = []
    /// What is being authorised.
    private var authorizing = TPMContext.none
    /// The most bytes of one command's data: what the TPM says of itself, at most the TSS's buffer.
    var longestMessage = TPMContext.longestBuffer
    static let longestBuffer = Int(TPM2_MAX_DIGEST_BUFFER)
    /// The most bytes that one command writes to or reads from memory; nil if the TPM does not say.
    var longestMemory: Int?

    /// - Throws: `.tokenUnavailable` if the TSS cannot be initialised; nothing is sent yet.
    init(_ path: TPMAddress.Path, deadline: ContinuousClock.Instant) throws(HSMError) {
        _ = Self.isQuiet
        transport = Transport(path)
        transport.deadline = deadline
        interface = Interface(transport)
        var made: OpaquePointer?
        let code = Esys_Initialize(&made, interface.context, nil)
        guard code == 0, let made else {
            throw .returned(TPMResponse(rawValue: code), by: "Esys_Initialize")
        }
        esys = made
    }

    deinit {
        // Best effort and bounded: without a resource manager a session that is left occupies one of three slots.
        transport.deadline = .now + .milliseconds(200)
        endSession()
        var dying: OpaquePointer? = esys
        Esys_Finalize(&dying)
    }

    /// The TSS would write to standard error what we report ourselves; an operator's own setting wins.
    private static let isQuiet: Bool = setenv("TSS2_LOG", "all+NONE", 0) == 0

    /// Makes one call; waits and repeats while the TPM is busy, within the deadline.
    func call(_ function: StaticString, _ body: () -> TSS2_RC) throws(HSMError) {
        var pause = Duration.milliseconds(5)
        while true {
            let response = TPMResponse(rawValue: body())
            if response == .success { return }
            guard TPMRecovery(response) == .wait, transport.deadline > .now + pause else {
                throw late(response, function) ?? .returned(response, by: function)
            }
            Pause.blocking(pause)
            pause = min(pause * 2, .milliseconds(100))
        }
    }

    /// Makes one call that gives an object of the TSS, lends it, and frees it.
    func call<T, R>(
        _ function: StaticString, _ body: (UnsafeMutablePointer<UnsafeMutablePointer<T>?>) -> TSS2_RC,
        result: (T) throws(HSMError) -> R
    ) throws(HSMError) -> R {
        var pointer: UnsafeMutablePointer<T>?
        try call(function) { body(&pointer) }
        guard let pointer else { throw HSMError(.deviceFailure, "\(function) gave nothing.") }
        defer { Esys_Free(pointer) }
        return try result(pointer.pointee)
    }

    // MARK: Session

    /// Starts the session that authorises and encrypts everything from now on: its salt goes to the TPM under the
    /// storage key, so whoever listens on the bus has nothing to compute its keys from.
    ///
    /// - Parameter key: ``none`` only for the calls that make the storage key.
    func startSession(saltedBy key: ESYS_TR) throws(HSMError) {
        endSession()
        saltKey = key
        session = try makeSession(saltedBy: key)
    }

    /// A further session; whoever makes it flushes it.
    func makeSession(saltedBy key: ESYS_TR, kind: TPM2_SE = TPM2_SE(TPM2_SE_HMAC)) throws(HSMError) -> ESYS_TR {
        var cipher = kms_session_cipher()
        var handle = Self.none
        try call("Esys_StartAuthSession") {
            Esys_StartAuthSession(
                esys, key, Self.none, Self.none, Self.none, Self.none, nil, kind, &cipher,
                TPMI_ALG_HASH(TPM2_ALG_SHA256), &handle)
        }
        return handle
    }

    /// The session that is shown policies, with the same protection; started when it is first needed.
    func policySession() throws(HSMError) -> ESYS_TR {
        if satisfying == Self.none {
            satisfying = try makeSession(saltedBy: saltKey, kind: TPM2_SE(TPM2_SE_POLICY))
            isPolicyBegun = false
        }
        return satisfying
    }

    /// Whether the storage key is still there.
    ///
    /// - Throws: What makes the worker connect again, which finds out what is there instead.
    func checkSaltKey() throws(HSMError) {
        guard saltKey != Self.none else { return }
        do throws(HSMError) {
            _ = try describe(saltKey)
        } catch {
            if let recovery = TPMRecovery(error), [.reopen, .lost].contains(recovery) { throw error }
            throw Self.startAnew("The storage key is another one.")
        }
    }

    func endSession() {
        for session in [session, satisfying] where session != Self.none { _ = Esys_FlushContext(esys, session) }
        session = Self.none
        satisfying = Self.none
    }

    /// Notes whether an object is used with a policy.
    func note(_ object: ESYS_TR, wantsPolicy: Bool) {
        if wantsPolicy { policyBound.insert(object) } else { policyBound.remove(object) }
    }

    /// The session that authorises the object at hand, set to protect the parameters that the next command can have protected.
    func session(encrypting: Bool, decrypting: Bool) throws(HSMError) -> ESYS_TR {
        var flags = TPMA_SESSION(TPMA_SESSION_CONTINUESESSION)
        if decrypting { flags |= TPMA_SESSION(TPMA_SESSION_DECRYPT) }
        if encrypting { flags |= TPMA_SESSION(TPMA_SESSION_ENCRYPT) }
        let chosen = policyBound.contains(authorizing) ? try policy.map(satisfiedSession) ?? session : session
        try call("Esys_TRSess_SetAttributes") { Esys_TRSess_SetAttributes(esys, chosen, flags, 0xFF) }
        return chosen
    }

    /// Runs calls on an object whose authorization value the TSS knows only meanwhile.
    func withAuthorization<R>(
        _ object: ESYS_TR, _ value: SharedSecret?, _ body: () throws(HSMError) -> R
    ) throws(HSMError) -> R {
        guard let value else { return try body() }
        let outer = authorizing
        authorizing = object
        defer { authorizing = outer }
        var authorization = TPM2B_AUTH()
        value.withUnsafeBytes { bytes in TPMBytes.fill(&authorization, bytes) }
        defer {
            TPMBytes.wipe(&authorization)
            // Replaces the whole buffer, not only its length.
            _ = Esys_TR_SetAuth(esys, object, &authorization)
        }
        try call("Esys_TR_SetAuth") { Esys_TR_SetAuth(esys, object, &authorization) }
        let result = try body()
        // The TPM has forgotten what the policy session was shown: each use takes all of it.
        if policyBound.contains(object) { isPolicyBegun = false }
        return result
    }

    /// Wipes the last response in the TSS's own buffer, which is not locked memory and would keep a secret there until
    /// the next command.
    func wipeResponse() {
        var system: OpaquePointer?
        var count = 0
        var bytes: UnsafePointer<UInt8>?
        guard Esys_GetSysContext(esys, &system) == 0, Tss2_Sys_GetRpBuffer(system, &count, &bytes) == 0, let bytes
        else { return }
        explicit_bzero(UnsafeMutablePointer(mutating: bytes), count)
    }
}
