import HSMBridge

/// The bridge in front of a token, provisioned for the length of a measurement.
struct BenchToken {
    let token: PKCS11Token

    init(uri: String) async throws {
        let parsed = try TokenURI(parsing: uri)
        guard let source = parsed.pinSource else { throw BenchError("the token URI names no pin-source") }
        let configuration = TokenConfiguration(uri: parsed, pinSource: try PINSource(parsing: source))
        token = PKCS11Token(configuration: configuration)
        token.start()
        try await token.waitUntilReady(timeout: .seconds(10))
        _ = try await token.provision(instance: TokenManifest.makeInstance())
    }

    func close() async { await token.shutdown() }
}
