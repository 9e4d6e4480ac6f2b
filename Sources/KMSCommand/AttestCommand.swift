import ArgumentParser
import Attestation
import Audit
import Encodings
import KMSConfiguration
import KMSDaemon
import Token

/// `kmsd attest`.
struct AttestCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "attest", abstract: "Check attestations of keys.", subcommands: [Verify.self])

    /// `kmsd attest verify`.
    struct Verify: Verb {
        static let configuration = CommandConfiguration(
            commandName: "verify",
            abstract: "Check what a daemon and its token say of a key.",
            discussion: """
                Needs neither the daemon nor the token. The audit key is the one of --audit-key, else of manifest.json \
                in the home directory, else none: then --first-use takes the one that the attestation names, which \
                proves only that one and the same key signed all of it. Note its fingerprint and expect it the next \
                time.

                  nonce=$(openssl rand -hex 32)
                  curl -s "$url$key/attestation?nonce=$nonce" > attestation.json
                  kmsd attest verify --nonce $nonce --audit-key audit-public.pem \\
                    --require resident --require born-here attestation.json

                With a TPM, `tpm2_readpublic -c 0x81010105 -f pem -o ak.pem` on its machine writes the attestation key \
                for --attestation-key. Exit code 2 if anything is wrong.
                """)

        @OptionGroup var common: CommonOptions
        @Option(help: "The nonce that was sent, in hexadecimal.") var nonce: String?
        @Option(help: "What the key must be: resident, or born-here. Repeatable.", transform: Self.requirement)
        var require: [AttestationVerifier.Requirement] = []
        @Option(help: "The audit key's public half, as `kmsd audit key` prints it.") var auditKey: String?
        @Flag(help: "Take the audit key that the attestation names, if none is known.") var firstUse = false
        @Option(help: "The TPM's attestation key's public half in PEM.") var attestationKey: String?
        @Option(help: "The same by the SHA-256 of its SubjectPublicKeyInfo in hexadecimal.") var fingerprint: String?
        @Argument(help: "The attestation, or - for standard input.") var file: String

        func validate() throws {
            guard attestationKey == nil || fingerprint == nil else {
                throw ValidationError("give --attestation-key or --fingerprint, not both")
            }
            guard fingerprint.map({ Hexadecimal.decode($0)?.count == 32 }) ?? true else {
                throw ValidationError("--fingerprint is 32 bytes in lower-case hexadecimal")
            }
            guard
                nonce.map({ Hexadecimal.decode($0).map { SignedAttestation.nonceLengths.contains($0.count) } == true })
                    ?? true
            else { throw ValidationError("--nonce is 16 to 64 bytes in lower-case hexadecimal") }
        }

        private static func requirement(_ text: String) throws -> AttestationVerifier.Requirement {
            guard let requirement = AttestationVerifier.Requirement(rawValue: text) else {
                throw ValidationError("--require is resident or born-here")
            }
            return requirement
        }

        func work() async throws -> ExitStatus {
            let report = try verifier().verify(read())
            switch common.output {
            case .json: try Terminal.print(json: report)
            case .text: Self.tell(report)
            }
            return report.isGood ? .ok : .findings
        }

        private func read() throws -> SignedAttestation {
            let limit = SignedAttestation.longestForm + 1
            let bytes = try file == "-" ? InputFile.standardInput(upTo: limit) : InputFile.read(file, upTo: limit)
            do {
                return try SignedAttestation(json: bytes)
            } catch {
                throw CommandFailure(.failed, code: "attestation-" + error.code.rawValue, error.message)
            }
        }

        private func verifier() throws -> AttestationVerifier {
            let manifest = try? ManifestFile(home: common.configuration().home).read()
            var verifier = AttestationVerifier()
            verifier.nonce = nonce.flatMap { Hexadecimal.decode($0) }
            verifier.requirements = Set(require)
            verifier.acceptsAnyAuditKey = firstUse
            verifier.auditKey = try auditKey.map { try Self.fingerprint(ofKeyIn: $0) } ?? manifest?[.audit]?.fingerprint
            if let attestationKey {
                verifier.attestationKey = try Self.fingerprint(ofKeyIn: attestationKey)
            } else {
                // A key of the manifest in the home belongs to that manifest's audit key only.
                verifier.attestationKey =
                    fingerprint ?? (auditKey == nil ? manifest?.attestationKey?.fingerprint : nil)
            }
            return verifier
        }

        private static func fingerprint(ofKeyIn path: String) throws -> String {
            let text = String(decoding: try InputFile.read(path, upTo: 16 * 1024), as: UTF8.self)
            return try AuditPublicKey(pem: text).fingerprint
        }
    }
}

extension AttestCommand.Verify {
    private static func tell(_ report: AttestationReport) {
        Terminal.print("key            \(TerminalEscaping.of(report.key)), version \(report.keyVersion)")
        Terminal.print("keystore       \(TerminalEscaping.of(report.keystore))")
        Terminal.print("type           \(TerminalEscaping.of(report.keyType))")
        if let fingerprint = report.fingerprint { Terminal.print("public key     \(fingerprint) (SHA-256)") }
        Terminal.print("protection     \(TerminalEscaping.of(report.protection)): \(protection(report))")
        Terminal.print("provenance     \(TerminalEscaping.of(report.provenance)): \(provenance(report))")
        for lock in report.locks {
            Terminal.print("sealed by      \(TerminalEscaping.of(lock.kind)) \(TerminalEscaping.of(lock.identity))")
        }
        Terminal.print(
            "token          \(TerminalEscaping.of(report.token.label)) \(TerminalEscaping.of(report.token.serial)), "
                + TerminalEscaping.of(report.token.manufacturer))
        Terminal.print("nonce          \(report.nonce)")
        Terminal.print("made           \(AuditText.time(report.time))")
        Terminal.print(
            "audit key      \(report.auditKey), \(report.auditKeyIsExpected ? "as expected" : "on its own word")")
        if let key = report.attestationKey {
            Terminal.print(
                "TPM's key      \(key), "
                    + (report.attestationKeyIsExpected ? "as expected" : "on the audit key's word"))
        }
        if let finding = report.finding {
            Terminal.print("BAD            \(finding.code.rawValue): \(TerminalEscaping.of(finding.message))")
        } else {
            Terminal.print("ok")
        }
    }

    private static func protection(_ report: AttestationReport) -> String {
        switch report.basis {
        case "tpm": "used inside the TPM only; the TPM signed that it cannot leave"
        case "token": "used inside the token only; the daemon signed what the token says of it"
        default: "opened in the daemon's memory to be used; the daemon's word"
        }
    }

    private static func provenance(_ report: AttestationReport) -> String {
        switch (report.provenance, report.basis) {
        case ("born-in-token", "tpm"): "made in the TPM, which signed it"
        case ("born-in-token", _):
            "made in the token on the daemon's word; it left it once, wrapped by a key that never did"
        case ("born-in-daemon", _): "made by the daemon, on its word"
        case ("imported", _): "handed in by a caller, who may have copies"
        case ("migrated", _): "moved here from another token or store"
        default: "not a word that is known"
        }
    }
}
