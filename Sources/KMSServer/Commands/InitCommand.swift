import ArgumentParser
import HSMBridge
import SecretMemory

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

            If it is interrupted, run it again: it clears away what was begun. A second run after success is refused, \
            unless the token was provisioned by a version of kmsd that made fewer keys: then it makes those that are \
            missing and adds them to the manifest. Stop the daemon before and start it again after that.
            """)

    @OptionGroup var common: CommonOptions

    private struct Report: Encodable {
        var instance: String
        var token: TokenIdentity
        var manifest: String
        var keys: [String]
        var swept: [String]
    }

    func work() async throws -> ExitStatus {
        try ProcessHardening.apply()
        let settings = try common.configuration()
        let home = try HomeDirectory(taking: settings.home)
        let files = ManifestFile(home: home.path)
        if let manifest = try files.read() {
            if !manifest.missingRoles.isEmpty || (settings.tpm != nil && manifest.attestationKey == nil) {
                let status = try await complete(settings, manifest, files)
                withExtendedLifetime(home) {}
                return status
            }
            throw CommandFailure(
                .failed, code: "already-provisioned",
                "'\(settings.manifestPath)' exists: the token '\(manifest.token.label)' is provisioned. "
                    + "Use `kmsd start`."
            )
        }
        let interrupted = try files.interruptedInstance()
        let instance = interrupted ?? TokenManifest.makeInstance()
        // First the journal: objects of an instance that no file names could never be told from a stranger's.
        if interrupted == nil { try files.noteBeginning(of: instance) }
        let report = try await TokenWork.withBackend(BackendConfiguration(settings, manifest: nil)) { token in
            let swept = interrupted == nil ? [] : try await token.sweep(instance: instance)
            let manifest = try await token.provision(instance: instance)
            try files.write(manifest)
            try files.forgetInterruption()
            return Report(
                instance: instance, token: manifest.token, manifest: settings.manifestPath,
                keys: manifest.keys.values.map(\.label).sorted(), swept: swept)
        }
        try tell(report)
        withExtendedLifetime(home) {}
        return .ok
    }

    /// Adds what a home of an earlier version lacks.
    private func complete(
        _ settings: Configuration, _ manifest: TokenManifest, _ files: ManifestFile
    ) async throws -> ExitStatus {
        let made = try await TokenWork.withBackend(BackendConfiguration(settings, manifest: manifest)) { token in
            try await token.completeProvisioning()
        }
        // New keys are on the token and in no file until this is written; another run would replace them.
        if let made { try files.write(made) }
        let known = Set(manifest.keys.keys)
        let added = (made?.keys ?? [:]).filter { !known.contains($0.key) }.values.map(\.label).sorted()
        try tell(
            Report(
                instance: manifest.instance, token: manifest.token, manifest: settings.manifestPath, keys: added,
                swept: []))
        return .ok
    }

    private func tell(_ report: Report) throws {
        switch common.output {
        case .json: try Terminal.print(json: report)
        case .text:
            if !report.swept.isEmpty {
                Terminal.print("Cleared away \(report.swept.count) objects of an interrupted init.")
            }
            Terminal.print(
                "Made \(report.keys.count) keys on the token '\(report.token.label)' (\(report.token.serial)).")
            for label in report.keys { Terminal.print("  \(label)") }
            Terminal.print("Wrote \(report.manifest). Next: kmsd start")
        }
    }
}
