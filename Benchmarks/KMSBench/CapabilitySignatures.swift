import ArgumentParser
import Capabilities
import Foundation
import LibCrypto
import SecretMemory

/// Makes `Signature` headers as the Go clients do, one a second of the past each, so that a load can present a new one
/// with every request.
struct CapabilitySignatures: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "capability-signatures",
        abstract: "Signature headers over (created), one a line.",
        discussion: "Reads the 32 bytes of an Ed25519 private key from standard input; it is a throw-away.")

    @Option(help: "How many.")
    var count = 5_000

    func run() throws {
        let seed = FileHandle.standardInput.readDataToEndOfFile()
        guard seed.count == 32 else { throw BenchError("standard input is not 32 bytes") }
        let key = try SigningKey(
            curve: .ed25519, privateKey: try SecretBytes.make(count: 32) { $0.copyBytes(from: seed) })
        guard let did = DIDKey(publicKey: key.publicKey) else { throw BenchError("no did:key") }
        let request = HTTPSignature.Request(method: "POST", uri: "/", headers: [:])
        let now = Int64(Date().timeIntervalSince1970)
        for age in 0..<Int64(count) {
            StandardOutput.line(
                try HTTPSignature.header(key: did, created: now - age, covered: [], request: request) {
                    try key.sign($0, encoding: .p1363)
                })
        }
    }
}
