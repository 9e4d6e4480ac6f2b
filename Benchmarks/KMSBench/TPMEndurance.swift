import ArgumentParser
import Foundation
import HSMBridge
import LibCrypto
import SecretMemory
import TPMBridge
import Token

/// Uses a TPM's keys some hundred thousand times over one connection; ends with an error at the first failure, the first
/// wrong answer, and the first connection made again.
struct TPMEndurance: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tpm-endurance",
        abstract: "Many uses of keys in a row on one connection to a TPM.",
        discussion: """
            Provisions a TPM that holds nothing of kmsd's, says 'ready', and takes turns: open a sealed record, sign with \
            a resident key, compute a MAC. Says how far it is every 10,000 uses, and at the end one JSON object.
            """)

    @OptionGroup var place: BenchTPM.Options

    @Option(help: "Uses of keys.")
    var operations = 200_000

    func validate() throws {
        guard (1...10_000_000).contains(operations) else {
            throw ValidationError("--operations must be 1 to 10000000")
        }
    }

    func run() async throws {
        let token = try await BenchTPM.provisioned(place)
        let secret = SharedSecret(try SecretBytes.random(count: 32))
        let sealed = try await token.seal(secret, under: .rootLock, context: [1])
        let signer = try await token.generateResident(.p256)
        let verifier = try VerificationKey(curve: .p256, publicKey: signer.publicKey ?? [])
        let digest = try Digest.sha256([1])
        let hasher = try await token.generateResident(.hmacSHA256)
        let expected = try await token.mac([1], with: hasher)
        let connections = token.connections
        StandardOutput.line("ready")
        let start = MonotonicClock.now()
        for turn in 1...operations {
            switch turn % 3 {
            case 0:
                let opened = try await token.open(sealed, under: .rootLock, context: [1])
                try check(
                    opened.withUnsafeBytes { left in secret.withUnsafeBytes { ConstantTime.equal(left, $0) } }, turn)
            case 1:
                let signature = try await token.sign(digest: digest, with: signer)
                try check(verifier.verify(signature, message: [1], encoding: .p1363), turn)
            default: try await check(token.mac([1], with: hasher) == expected, turn)
            }
            guard token.connections == connections else { throw BenchError("a new connection at turn \(turn)") }
            if turn % 10_000 == 0 { StandardOutput.line("\(turn) of \(operations)") }
        }
        let report = Report(operations: operations, seconds: Double(MonotonicClock.now() - start) / 1e9)
        StandardOutput.line(String(decoding: try JSONEncoder().encode(report), as: UTF8.self))
        await token.shutdown()
    }

    private struct Report: Encodable {
        let operations: Int
        let seconds: Double
    }

    private func check(_ isRight: Bool, _ turn: Int) throws {
        guard isRight else { throw BenchError("a wrong answer at turn \(turn)") }
    }
}
