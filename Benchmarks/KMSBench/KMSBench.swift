import ArgumentParser

/// The yardsticks of `scripts/bench`: what the HTTP framework and the token do without the daemon between them.
@main
struct KMSBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "kmsbench",
        abstract: "Yardsticks the daemon is compared with; scripts/bench runs them all.",
        subcommands: [
            EchoServer.self, PKCS11Loop.self, TokenLoop.self, Micro.self, CapabilitySignatures.self, TPMCLoop.self,
            TPMLoop.self, TPMEndurance.self, GRPCLoad.self, DecryptionParts.self,
        ])
}
