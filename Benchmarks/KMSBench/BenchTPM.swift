import ArgumentParser
import HSMBridge
import TPMBridge
import Token

/// The bridge in front of a TPM, provisioned for the length of a measurement.
enum BenchTPM {
    struct Options: ParsableArguments {
        @Option(help: "Token URI, such as tpm:?tcti=swtpm:path=/run/s&pin-source=file:/run/pin.")
        var tokenURI: String
    }

    static func provisioned(_ options: Options) async throws -> TPMToken {
        let address = try TPMAddress(parsing: options.tokenURI)
        guard let source = address.pinSource else { throw BenchError("the token URI names no pin-source") }
        let token = TPMToken(
            configuration: TPMConfiguration(address: address, pinSource: try PINSource(parsing: source)))
        token.start()
        try await token.waitUntilReady(timeout: .seconds(10))
        _ = try await token.provision(instance: TokenManifest.makeInstance())
        return token
    }
}
