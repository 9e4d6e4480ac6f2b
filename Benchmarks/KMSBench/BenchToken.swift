import HSMBridge
import Token

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

    /// Opens the token, and has it closed when this returns: a process that ends while the token's threads are in the
    /// module runs the module's exit handlers under them.
    static func with(uri: String, _ body: (PKCS11Token) async throws -> Void) async throws {
        let bench = try await BenchToken(uri: uri)
        do {
            try await body(bench.token)
        } catch {
            await bench.close()
            throw error
        }
        await bench.close()
    }
}
