import ArgumentParser
import Encodings
import HSMBridge
import KMSConfiguration
import KMSDaemon
import SecretMemory
import TPMBridge
import Token

/// `kmsd init`.
struct InitCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "init",
        abstract: "Make the daemon's own keys on the token, once.",
        discussion: """
            Makes one key per role on the token, none of which can be exported, and writes manifest.json into the home \
            directory: which token it is, which keys they are and a sealed value that each must open. It holds no \
            secret, but back it up with the database: without it the daemon does not trust the token's keys.

            The token must exist already and have a user PIN. With SoftHSM:

              softhsm2-util --init-token --free --label kmsd
              uri='pkcs11:token=kmsd?module-path=/usr/lib/softhsm/libsofthsm2.so'
              kmsd init --token-uri "$uri&pin-source=file:/var/lib/kmsd/user.pin"

            With a TPM 2.0, nothing is to be made first but the secret of its keys:

              kmsd init --token-uri 'tpm:/dev/tpmrm0?pin-source=file:/var/lib/kmsd/tpm.pin'

            The token's keys seal by AES-GCM, or on a token without it to a public key, by ECDH or RSA-OAEP. The manifest \
            says which, and it stays so.

            kmsd wants a token of its own: whoever uses another key on the token is logged in to the daemon's, too. \
            `kmsd token probe --write` tells beforehand whether a token takes the keys. One that refuses a restriction \
            on them is refused, unless --without names it; see docs/pkcs11-vendors.md.

            If it is interrupted, run it again: it clears away what was begun. A second run after success is refused, \
            unless the token was provisioned by a version of kmsd that made fewer keys or recorded less of them: then it \
            makes those that are missing and adds to the manifest what it lacks. Stop the daemon before and start it \
            again after that.

            Beside a database or a record of decisions without a manifest it refuses: the manifest is what was lost, and \
            new keys open nothing. Restore it.
            """)

    @OptionGroup var common: CommonOptions
    @Option(
        help: "Make keys without this attribute on a token that refuses it. Repeatable.",
        transform: Self.dispensable)
    var without: [DispensableAttribute] = []
    @Option(
        help: """
            How the token's keys seal: \(Self.rootLocks). Without it the first of these that the token serves.
            """,
        transform: Self.rootLock)
    var rootLock: RootLockMechanism?
    @Flag(
        help: """
            Make new keys although a database or a record of decisions is there; nothing that was sealed by other keys \
            opens with them.
            """)
    var besideDatabase = false

    private static func dispensable(_ text: String) throws -> DispensableAttribute {
        guard let attribute = DispensableAttribute(rawValue: text) else {
            let known = DispensableAttribute.allCases.map(\.rawValue).joined(separator: ", ")
            throw ValidationError("--without is one of \(known); every other attribute is a must")
        }
        return attribute
    }

    private static let rootLocks = RootLockMechanism.allCases.map(\.rawValue).joined(separator: ", ")

    private static func rootLock(_ text: String) throws -> RootLockMechanism {
        guard let mechanism = RootLockMechanism(rawValue: text) else {
            throw ValidationError("--root-lock is one of \(rootLocks)")
        }
        return mechanism
    }

    private struct Report: Encodable {
        var instance: String
        var token: TokenIdentity
        var manifest: String
        var keys: [String]
        var swept: [String]
        /// The kind of the keys that seal.
        var rootLock: String?
        /// Attributes that the token's keys are without.
        var without: [String] = []
        /// Objects on the token that are not this daemon's.
        var strangers = 0
        var warnings: [String] = []
    }

    func work() async throws -> ExitStatus {
        try ProcessHardening.apply()
        let settings = try common.configuration()
        let home = try HomeDirectory(taking: settings.home)
        let files = ManifestFile(home: home.path)
        if let manifest = try files.read() {
            try refuseOtherRootLock(manifest, settings)
            let isOlder = settings.tpm == nil ? manifest.lacksProofs : manifest.attestationKey == nil
            if !manifest.missingRoles.isEmpty || isOlder, try await complete(settings, manifest, files) {
                withExtendedLifetime(home) {}
                return .ok
            }
            throw CommandFailure(
                .failed, code: "already-provisioned",
                "'\(settings.manifestPath)' exists: the token '\(manifest.token.label)' is provisioned. "
                    + "Use `kmsd start`."
            )
        }
        let remains = LostManifest.remains(settings)
        let interrupted = try files.interruptedInstance()
        // An interrupted init leaves the record of approved states, and nothing else of these.
        guard besideDatabase || remains.allSatisfy({ interrupted != nil && $0.endsExactly(with: "/pcr-policy.json") })
        else {
            throw CommandFailure(
                .configuration, code: "manifest-lost",
                LostManifest.words(settings, remains)
                    + ". If it was made without a token, or nothing of it is wanted any more, give --beside-database")
        }
        let instance = interrupted ?? TokenManifest.makeInstance()
        // First the journal: objects of an instance that no file names could never be told from a stranger's.
        if interrupted == nil { try files.noteBeginning(of: instance) }
        let report = try await TokenWork.withBackend(try backend(settings, manifest: nil)) { token in
            let swept = interrupted == nil ? [] : try await token.sweep(instance: instance)
            let manifest = try await token.provision(instance: instance)
            try files.write(manifest)
            try files.forgetInterruption()
            var report = Report(
                instance: instance, token: manifest.token, manifest: settings.manifestPath,
                keys: manifest.keys.values.map(\.label).sorted(), swept: swept,
                rootLock: settings.tpm == nil ? manifest[.rootLock]?.kind.rawValue : nil,
                without: Self.without(manifest),
                strangers: try await (token as? PKCS11Token)?.strangers(besides: instance) ?? 0)
            // What was made is made, whatever becomes of the TPM now; `doctor` tells the same.
            if settings.tpm?.registers != nil, let tpm = token as? TPMToken, let policy = try? await tpm.pcrPolicy() {
                report.warnings = (try? await tpm.weakness(of: policy.current).warnings) ?? []
            }
            return report
        }
        try tell(report)
        withExtendedLifetime(home) {}
        return .ok
    }

    private func backend(_ settings: Configuration, manifest: TokenManifest?) throws -> BackendConfiguration {
        let backend = try BackendConfiguration(settings, manifest: manifest)
        guard case .pkcs11(var token) = backend else {
            guard without.isEmpty, rootLock == nil else {
                throw ConfigurationError(
                    "--\(without.isEmpty ? "root-lock" : "without") is for PKCS #11 tokens; token-uri names a TPM")
            }
            return backend
        }
        token.dispensed = Set(without)
        token.rootLock = rootLock
        return .pkcs11(token)
    }

    /// What is sealed opens with the key that sealed it; another one is for a home of its own.
    private func refuseOtherRootLock(_ manifest: TokenManifest, _ settings: Configuration) throws {
        guard let rootLock, settings.tpm == nil, let own = manifest.rootLockMechanism, own != rootLock else { return }
        throw CommandFailure(
            .failed, code: "root-lock-differs",
            "the keys of '\(settings.manifestPath)' seal by '\(own.rawValue)' and cannot be changed to "
                + "'\(rootLock.rawValue)': what they sealed would not open. Give --root-lock to a new home")
    }

    private static func without(_ manifest: TokenManifest) -> [String] {
        Set(manifest.keys.values.flatMap { $0.without ?? [] }).sorted()
    }

    /// Adds what a home of an earlier version lacks.
    ///
    /// - Returns: False if there was nothing to add.
    private func complete(
        _ settings: Configuration, _ manifest: TokenManifest, _ files: ManifestFile
    ) async throws -> Bool {
        let report = try await TokenWork.withBackend(try backend(settings, manifest: manifest)) { token -> Report? in
            guard let made = try await token.completeProvisioning() else { return nil }
            // New keys are on the token and in no file until this is written; another run would replace them.
            try files.write(made)
            // Only now: the public halves that the manifest has taken over.
            if let token = token as? PKCS11Token { try await token.sweep() }
            let known = Set(manifest.keys.keys)
            return Report(
                instance: manifest.instance, token: manifest.token, manifest: settings.manifestPath,
                keys: made.keys.filter { !known.contains($0.key) }.values.map(\.label).sorted(), swept: [],
                without: Self.without(made),
                strangers: try await (token as? PKCS11Token)?.strangers(besides: manifest.instance) ?? 0)
        }
        guard let report else { return false }
        try tell(report)
        return true
    }

    private func tell(_ report: Report) throws {
        switch common.output {
        case .json: try Terminal.print(json: report)
        case .text:
            if !report.swept.isEmpty {
                Terminal.print("Cleared away \(report.swept.count) objects of an interrupted init.")
            }
            let token = "'\(TerminalEscaping.of(report.token.label))' (\(report.token.serial))"
            Terminal.print("Made \(report.keys.count) keys on the token \(token).")
            for label in report.keys { Terminal.print("  \(label)") }
            if let kind = report.rootLock.flatMap(KeyKind.init(rawValue:)), kind.sealsToPublicKey {
                Terminal.print(
                    "Secrets are sealed to a public key (\(kind.rawValue)) in this process; the token opens them.")
                if !report.keys.contains(where: { $0.endsExactly(with: "/\(KeyRole.residentWrap.rawValue)/1") }) {
                    Terminal.print("The token makes no AES key that wraps: resident keys are refused.")
                }
            }
            for name in report.without {
                let consequence = DispensableAttribute(rawValue: name)?.consequence ?? ""
                Terminal.print("Warning: without \(name), which the token refuses: \(consequence).")
            }
            if report.strangers > 0 {
                Terminal.print(
                    "Warning: \(report.strangers) objects on the token are not this daemon's. Whoever uses them is logged "
                        + "in to its keys, too, and programs that go through all keys meet them: give kmsd a token of "
                        + "its own.")
            }
            for warning in report.warnings { Terminal.complain("kmsd: warning: \(warning)") }
            Terminal.print("Wrote \(report.manifest). Next: kmsd start")
        }
    }
}
