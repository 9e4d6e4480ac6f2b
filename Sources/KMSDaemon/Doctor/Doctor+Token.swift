import Audit
import HSMBridge
import KMSConfiguration
import TPMBridge
import Token

/// The token, from its PIN file to its objects.
extension Doctor {
    mutating func checkToken(_ settings: Configuration) async {
        let backend: BackendConfiguration
        let manifest: TokenManifest?
        do {
            backend = try BackendConfiguration(settings, manifest: nil)
            manifest = try ManifestFile(home: settings.home).read()
        } catch {
            if settings.secretLock == .token { add("token", error, remedy: "correct token-uri or the manifest") }
            return
        }
        let pinIsFine = attempt(
            "pin", remedy: "a file of 4 to 255 bytes on one line, mode 0600, in a directory only its owner writes"
        ) {
            try backend.checkPIN()
            return "'\(backend.pinSource)' can be read, and by nobody who must not"
        }
        if pinIsFine, case .pkcs11 = backend { checkLineBreak(of: backend.pinSource) }
        var moduleIsThere = true
        if case .pkcs11(let configuration) = backend {
            let path = configuration.uri.modulePath ?? ""
            if let source = configuration.moduleInitialisation {
                moduleIsThere = attempt(
                    "module", remedy: "a file of 1 to 4096 bytes, mode 0600, in a directory only its owner writes"
                ) {
                    try source.checkInitialisation()
                    return "'\(source)' can be read, and by nobody who must not"
                }
            }
            let isThere = attempt(
                "module", remedy: "give the absolute path of the vendor's PKCS #11 library in module-path"
            ) {
                guard FilePresence.exists(path) else { throw ConfigurationError("'\(path)' is not there") }
                return "'\(path)' is there"
            }
            moduleIsThere = moduleIsThere && isThere
        }
        guard let manifest else {
            if case .pkcs11(let configuration) = backend, moduleIsThere { await lookForToken(configuration) }
            checks.append(
                Check(
                    name: "manifest", grade: .fail, message: LostManifest.missing(settings).message,
                    remedy: LostManifest.remains(settings).isEmpty ? "run `kmsd init` once" : LostManifest.remedy))
            return
        }
        if !manifest.missingRoles.isEmpty {
            let names = manifest.missingRoles.map { "'\($0.rawValue)'" }.joined(separator: ", ")
            checks.append(
                Check(
                    name: "manifest", grade: .warn, message: "the token was provisioned without the key \(names)",
                    remedy: "stop the daemon and run `kmsd init`, which adds it"))
        }
        // A wrong PIN must not be tried twice, so nothing is tried without a readable one.
        guard pinIsFine, moduleIsThere else { return }
        guard case .pkcs11(let configuration) = backend else { return await checkTPM(settings) }
        do {
            var pinned = configuration
            pinned.manifest = manifest
            progress("looking at the token")
            let (report, memory) = try await TokenWork.with(pinned, timeout: Self.patience) { token in
                (try await token.lint(), try await Self.memory(of: token, home: settings.home))
            }
            checks.append(
                Check(
                    name: "token", grade: .ok,
                    message: "'\(TerminalEscaping.of(report.token.label))' \(report.token.serial) is the provisioned "
                        + "one; its keys open what they sealed", remedy: nil))
            tellRootLock(manifest)
            look(at: report)
            look(at: memory, home: settings.home)
        } catch {
            let cannot = (error as? HSMError)?.code == .mechanismUnsupported
            add(
                "token", error,
                remedy: cannot
                    ? "give the module that `kmsd init` was run with: this one does not do what the keys need, see `kmsd token probe`"
                    : "see that the token of the manifest is there and its PIN is right")
        }
    }

    /// What protects the secrets of a token without AES-GCM, and what it does not hold.
    private mutating func tellRootLock(_ manifest: TokenManifest) {
        guard let kind = manifest[.rootLock]?.kind, kind.sealsToPublicKey else { return }
        checks.append(
            Check(
                name: "root-lock", grade: .ok,
                message: "secrets are sealed to a public key (\(kind.rawValue)) by this program and opened by the token"
                    + (manifest[.residentWrap] == nil
                        ? "; it holds no resident keys, for it makes no AES key that wraps" : ""),
                remedy: nil))
    }

    /// What the token keeps of the record of decisions, beside what is there.
    private enum Memory: Sendable {
        case nothing
        case fits
        case differs(String)
    }

    /// - Throws: `HSMError` of a token that does not answer.
    private static func memory(of token: any RollbackProtectedStorage, home: String) async throws -> Memory {
        let found = try await memoryOnce(of: token, home: home)
        // The daemon may have gone on between the look at the token and the one at the file.
        guard case .differs = found else { return found }
        return try await memoryOnce(of: token, home: home)
    }

    private static func memoryOnce(of token: any RollbackProtectedStorage, home: String) async throws -> Memory {
        let path = AuditParts.path(home: home)
        let comparison: AuditComparison
        do {
            comparison = try await AuditComparison(
                path: path, exists: FilePresence.exists(path), token: token)
        } catch is AuditError {
            // Whoever reads the file says what is wrong with it.
            return .fits
        }
        if let unread = comparison.unread { return .differs(unread) }
        if comparison.isTokenOlder {
            return .differs(
                "the token's own state is an older copy: it counted less than when the chain was last signed")
        }
        guard let kept = comparison.kept else { return .nothing }
        // That the file is missing or holds nothing is found where it is read.
        guard let found = comparison.found, !comparison.goesOn else { return .fits }
        // What is in an archive is looked at by the start.
        let first = (try? AuditReader(path: path, isDatabase: true).firstIndex()) ?? 0
        guard kept.index >= first else { return .fits }
        return .differs(
            comparison.isBegunAnew
                ? "the chain was begun anew behind record \(kept.index), which the token remembers: audit.db was lost or "
                    + "emptied before a start"
                : "the chain ends with record \(found.index) and does not go on from record \(kept.index), which "
                    + "the token remembers: it is an older copy or another chain")
    }

    private mutating func look(at memory: Memory, home: String) {
        switch memory {
        case .fits: return
        case .nothing:
            guard AuditParts.told(home: home) != nil else { return }
            checks.append(
                Check(
                    name: "audit", grade: .warn,
                    message: "the token remembers nothing of the record of decisions, so an older copy of the "
                        + "whole home is not noticed",
                    remedy: "start the daemon once; if it stays so, the token keeps no data objects: use another, "
                        + "or keep the head elsewhere (`kmsd audit verify --help`)"))
        case .differs(let message):
            checks.append(
                Check(
                    name: "audit", grade: .fail, message: message,
                    remedy: "put the newest audit.db back; nothing is allowed on this one until `kmsd audit adopt`"))
        }
    }

    /// A line break costs nothing here and a try of the token's PIN elsewhere.
    private mutating func checkLineBreak(of source: PINSource) {
        guard (try? source.endsInLineBreak()) == true else { return }
        checks.append(
            Check(
                name: "pin", grade: .warn,
                message: "'\(source)' ends in a line break; kmsd drops it, but GnuTLS and OpenSSL send it to the token "
                    + "as part of the PIN, which costs a try",
                remedy: "write the file with `printf %s`, without the line break"))
    }

    /// Before `kmsd init`: whether one token is the one that the URI names. No PIN is tried.
    private mutating func lookForToken(_ configuration: TokenConfiguration) async {
        do {
            progress("looking for the token")
            let token = try await TokenInventory.token(
                matching: configuration.uri, initialisation: configuration.moduleInitialisation, timeout: Self.patience)
            checks.append(
                Check(
                    name: "token", grade: .ok,
                    message: "'\(TerminalEscaping.of(token.label))' \(token.serial) is there, not provisioned yet",
                    remedy: nil))
        } catch {
            add("token", error, remedy: "see `kmsd token list`; make the token if it is not there yet")
        }
    }

    private mutating func checkTPM(_ settings: Configuration) async {
        // Without a resource manager only one process can ask the TPM.
        if settings.tpm?.path.isManaged == false, HomeDirectory.isTaken(settings.home) {
            checks.append(
                Check(
                    name: "token", grade: .warn, message: "the daemon that runs on this home uses the TPM",
                    remedy: "ask its /readyz, or stop it and look again"))
            return
        }
        do {
            progress("looking at the TPM")
            let (policy, weakness, memory) = try await TokenWork.withTPM(settings, timeout: Self.patience) { token in
                let memory = try await Self.memory(of: token, home: settings.home)
                let policy = try await token.pcrPolicy()
                guard let policy else { return (policy, [String](), memory) }
                return (policy, try await token.weakness(of: policy.current).warnings, memory)
            }
            checks.append(
                Check(
                    name: "token", grade: .ok,
                    message: "the TPM is the provisioned one; its keys open what they sealed", remedy: nil))
            look(at: memory, home: settings.home)
            guard let policy else { return }
            checks.append(
                Check(
                    name: "pcr", grade: .ok,
                    message: "the keys are bound to \(policy.current.selection); the state is one of "
                        + "\(policy.approved.count) approved", remedy: nil))
            for warning in weakness {
                checks.append(
                    Check(
                        name: "pcr", grade: .warn, message: warning,
                        remedy: "keys are bound when they are made: a new installation may choose other registers"))
            }
        } catch let error as HSMError where error.code == .pcrMismatch {
            add(
                "pcr", error,
                remedy: "boot the approved state, approve the new one there: `kmsd tpm reseal --pcr-values FILE`")
        } catch {
            add("token", error, remedy: "see that the TPM of the manifest is there and its PIN is right")
        }
    }

    /// Whoever may write to the token chose it.
    private static func shown(_ label: String) -> String { TerminalEscaping.of(label) }

    private mutating func look(at report: LintReport) {
        let found =
            report.objects.flatMap { object in
                object.findings.map { ("'\(Self.shown(object.label))' \($0.attribute): \($0.message)", $0.grade) }
            }
            + report.findings.map { ("\($0.attribute): \($0.message)", $0.grade) }
        for (message, grade) in found {
            checks.append(
                Check(
                    name: "objects", grade: grade == .bad ? .fail : .warn, message: message,
                    remedy: "see `kmsd token lint`"))
        }
        if found.isEmpty {
            checks.append(
                Check(
                    name: "objects", grade: .ok, message: "\(report.objects.count) objects, none too open", remedy: nil)
            )
        }
    }
}
