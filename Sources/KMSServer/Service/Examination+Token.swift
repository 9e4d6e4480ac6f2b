import HSMBridge
import TPMBridge

/// The token, from its PIN file to its objects.
extension Examination {
    mutating func lookAtToken(_ settings: Configuration) async {
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
            "pin", remedy: "a file of 4 to 255 bytes, mode 0600, in a directory only its owner writes"
        ) {
            _ = try backend.pinSource.load()
            return "'\(backend.pinSource)' is readable by this user only"
        }
        var moduleIsThere = true
        if case .pkcs11(let configuration) = backend {
            let path = configuration.uri.modulePath ?? ""
            moduleIsThere = attempt(
                "module", remedy: "give the absolute path of the vendor's PKCS#11 library in module-path"
            ) {
                guard FilePresence.exists(path) else { throw ConfigurationError("'\(path)' is not there") }
                return "'\(path)' is there"
            }
        }
        guard let manifest else {
            if case .pkcs11(let configuration) = backend, moduleIsThere { await lookForToken(configuration.uri) }
            checks.append(
                Check(
                    name: "manifest", grade: .fail, message: "'\(settings.manifestPath)' is not there",
                    remedy: "run `kmsd init` once"))
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
        guard case .pkcs11(let configuration) = backend else { return await lookAtTPM(settings) }
        do {
            var pinned = configuration
            pinned.manifest = manifest
            let report = try await TokenWork.with(pinned) { try await $0.lint() }
            checks.append(
                Check(
                    name: "token", grade: .ok,
                    message: "'\(report.token.label)' \(report.token.serial) is the provisioned one; its keys open "
                        + "what they sealed", remedy: nil))
            look(at: report)
        } catch {
            add("token", error, remedy: "see that the token of the manifest is there and its PIN is right")
        }
    }

    /// Before `kmsd init`: whether one token is the one that the URI names. No PIN is tried.
    private mutating func lookForToken(_ uri: TokenURI) async {
        do {
            let token = try await TokenInventory.token(matching: uri)
            checks.append(
                Check(
                    name: "token", grade: .ok,
                    message: "'\(token.label)' \(token.serial) is there, not provisioned yet",
                    remedy: nil))
        } catch {
            add("token", error, remedy: "see `kmsd token list`; make the token if it is not there yet")
        }
    }

    private mutating func lookAtTPM(_ settings: Configuration) async {
        // Without a resource manager only one process can ask the TPM.
        if settings.tpm?.path.isManaged == false, HomeDirectory.isTaken(settings.home) {
            checks.append(
                Check(
                    name: "token", grade: .warn, message: "the daemon that runs on this home uses the TPM",
                    remedy: "ask its /readyz, or stop it and look again"))
            return
        }
        do {
            let policy = try await TokenWork.withTPM(settings) { try await $0.pcrPolicy() }
            checks.append(
                Check(
                    name: "token", grade: .ok,
                    message: "the TPM is the provisioned one; its keys open what they sealed", remedy: nil))
            guard let policy else { return }
            checks.append(
                Check(
                    name: "pcr", grade: .ok,
                    message: "the keys are bound to \(policy.current.selection); the state is one of "
                        + "\(policy.approved.count) approved", remedy: nil))
        } catch let error as HSMError where error.code == .pcrMismatch {
            add(
                "pcr", error,
                remedy: "boot the approved state, approve the new one there: `kmsd tpm reseal --pcr-values FILE`")
        } catch {
            add("token", error, remedy: "see that the TPM of the manifest is there and its PIN is right")
        }
    }

    private mutating func look(at report: LintReport) {
        let found =
            report.objects.flatMap { object in
                object.findings.map { ("'\(object.label)' \($0.attribute): \($0.message)", $0.grade) }
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
