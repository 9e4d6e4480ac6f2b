import CTSS2
import Encodings
import SecretMemory
import Token

/// A TPM in use: the context, the objects that were found and checked, and the resident keys that are loaded.
///
/// - Concurrency: the worker's thread only.
final class TPMConnection {
    let configuration: TPMConfiguration
    let context: TPMContext
    let identity: TokenIdentity
    private let manifest: TokenManifest?
    /// The storage key; nil before provisioning.
    let primary: TPMObject?
    let keys: [KeyRole: TPMObject]
    let authorization: SharedSecret
    let residentAlgorithms: Set<ResidentAlgorithm>
    var residents: LoadedKeys
    /// Of the kept value and of its counter, looked up once.
    var memoryHandle: ESYS_TR?
    var counterHandle: ESYS_TR?
    /// Set by work that needs a new connection after it.
    var isOver = false

    /// Connects, checks that everything is what the manifest says, and opens the sentinels.
    ///
    /// - Throws: `.tokenMismatch` for another TPM, `.keyMissing`, `.keyMismatch`, `.pinRefused`, `.lockedOut`, and
    ///   whatever keeps the TPM away. Nothing is authorised before all names were compared.
    init(_ configuration: TPMConfiguration, manifest: TokenManifest?) throws(HSMError) {
        self.configuration = configuration
        self.manifest = manifest
        context = try TPMContext(configuration.address.path, deadline: .now + configuration.callTimeout)
        try context.startUp()
        if !configuration.address.path.isManaged { try context.flushLeftovers() }
        let limits = try context.properties(
            from: KMS_TPM2_PT_INPUT_BUFFER, count: Int(KMS_TPM2_PT_NV_BUFFER_MAX - KMS_TPM2_PT_INPUT_BUFFER) + 1)
        residents = LoadedKeys(slots: Int(limits[KMS_TPM2_PT_HR_TRANSIENT_MIN] ?? 3))
        context.take(limits)
        residentAlgorithms = try Self.residentAlgorithms(context)
        let handles = TPMHandles(configuration.address.handles)
        let primary = try context.persistentObject(handles.primary)
        self.primary = primary
        identity = try Self.identify(context, primary)
        var keys: [KeyRole: TPMObject] = [:]
        if let manifest {
            guard let primary else {
                throw HSMError(
                    .tokenMismatch,
                    "This TPM has no key at \(handles.text(.residentWrap)): it is not the provisioned one, or its owner "
                        + "was cleared (TPM2_Clear) and the keys are gone.")
            }
            try Self.check(primary, .residentWrap, manifest, mismatch: .tokenMismatch)
            // An earlier version made no result key, and everything else works without.
            for role in TPMHandles.roles where role != .result || manifest[.result] != nil {
                guard let key = try context.persistentObject(handles[role]) else {
                    throw HSMError(.keyMissing, "The TPM has no key at \(handles.text(role)) for '\(role.rawValue)'.")
                }
                try Self.check(key, role, manifest, mismatch: .keyMismatch)
                keys[role] = key
            }
        }
        self.keys = keys
        if let manifest, try Self.isBound(keys, configuration.address) {
            try Self.activatePolicy(context, configuration, keys, instance: manifest.instance)
        }
        if configuration.address.lockout, let lockout = try context.lockout() { throw lockout }
        authorization = try Authorization.ofKeys(
            configuration.pinSource, lockout: configuration.address.lockout)
        guard let manifest, let primary else { return }
        try context.startSession(saltedBy: primary.handle)
        for role in KeyRole.sealing { try checkSentinel(role, manifest) }
    }

    func key(_ role: KeyRole) throws(HSMError) -> TPMObject {
        guard let key = keys[role] else {
            throw HSMError(.keyMissing, "The TPM holds no '\(role.rawValue)' key; run `kmsd init`.")
        }
        return key
    }

    /// The instance of the manifest.
    func instance() throws(HSMError) -> String {
        guard let manifest else { throw HSMError(.keyMissing, "Provision the TPM first.") }
        return manifest.instance
    }

    /// The key of one record.
    func recordKey(_ role: KeyRole, salt: [UInt8], recordContext: [UInt8]) throws(HSMError) -> SharedSecret {
        try context.secretHMAC(
            key(role).handle, authorization,
            try RecordKeys.message(role: role, salt: salt, context: recordContext))
    }

    // MARK: Checks

    /// Whether the TPM still answers with the same keys.
    func check(_ manifest: TokenManifest?) throws(HSMError) {
        context.transport.deadline = .now + configuration.callTimeout
        if configuration.address.lockout, let lockout = try context.lockout() { throw lockout }
        guard let manifest else {
            _ = try context.handles(from: KMS_TPM2_TRANSIENT_FIRST)
            return
        }
        try checkSentinel(.rootLock, manifest)
    }

    private func checkSentinel(_ role: KeyRole, _ manifest: TokenManifest) throws(HSMError) {
        guard let sealed = manifest[role]?.sentinel.flatMap({ Hexadecimal.decode($0) }) else {
            throw HSMError(.configurationRefused, "The manifest has no sentinel for '\(role.rawValue)'.")
        }
        let context = TokenManifest.sentinelContext(instance: manifest.instance, role: role)
        let key = try recordKey(role, salt: try RecordKeys.salt(of: sealed), recordContext: context)
        do throws(HSMError) {
            _ = try RecordKeys.open(sealed, key: key, context: context)
        } catch  where error.code != .overloaded {
            throw HSMError(.keyMismatch, "The key of '\(role.rawValue)' does not open its sentinel.")
        }
    }

    private static func check(
        _ object: TPMObject, _ role: KeyRole, _ manifest: TokenManifest, mismatch: HSMError.Code
    ) throws(HSMError) {
        guard let record = manifest[role] else {
            throw HSMError(.configurationRefused, "The manifest has no key '\(role.rawValue)'; it is not a TPM's.")
        }
        let isKnown =
            role.signs
            ? try TPMToken.describe(object).fingerprint == record.fingerprint && object.isBoundSigningKey
            : record.fingerprint == Hexadecimal.encode(object.name)
        guard isKnown else {
            throw HSMError(
                mismatch,
                "The TPM's key \(record.id) of '\(role.rawValue)' is not the provisioned one: its name is "
                    + "\(Hexadecimal.encode(object.name)).")
        }
    }

    private static func identify(_ context: TPMContext, _ primary: TPMObject?) throws(HSMError) -> TokenIdentity {
        let manufacturer = try context.properties(from: KMS_TPM2_PT_MANUFACTURER, count: 1)
        let vendor = try context.properties(from: KMS_TPM2_PT_VENDOR_STRING_1, count: 4)
        func text(_ values: [UInt32]) -> String {
            let bytes = values.flatMap { value in withUnsafeBytes(of: value.bigEndian, Array.init) }
            return String(decoding: bytes.filter { (0x21...0x7E).contains($0) }, as: UTF8.self)
        }
        return TokenIdentity(
            label: "tpm", serial: primary.map { Hexadecimal.encode($0.name) } ?? "",
            manufacturer: text([manufacturer[KMS_TPM2_PT_MANUFACTURER] ?? 0]),
            model: text((0..<4).map { vendor[KMS_TPM2_PT_VENDOR_STRING_1 + $0] ?? 0 }))
    }

    private static func residentAlgorithms(_ context: TPMContext) throws(HSMError) -> Set<ResidentAlgorithm> {
        let curves = try context.curves()
        return Set(
            ResidentAlgorithm.allCases.filter { algorithm in
                algorithm == .hmacSHA256 || algorithm.tpmCurve.map { curves.contains($0.identifier) } == true
            })
    }
}
