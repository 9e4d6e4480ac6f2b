import Foundation
import SecretMemory
import TPMBridge
import TestSupport
import Token

extension SoftTPM {
    var address: TPMAddress { TPMAddress(.socket(socket), pinSource: "file:\(pinFile.path)") }

    /// How a test reaches this TPM: quick checks.
    func configuration(manifest: TokenManifest? = nil) -> TPMConfiguration {
        TPMConfiguration(
            address: address, pinSource: .file(pinFile.path), callTimeout: .seconds(10), manifest: manifest,
            healthInterval: .milliseconds(100), reconnectCeiling: .milliseconds(200))
    }

    /// A started token with all role keys on it; shut it down at the end of the test.
    func provisioned() async throws -> TPMToken {
        let token = TPMToken(configuration: configuration())
        token.start()
        try await token.waitUntilReady(timeout: .seconds(120))
        _ = try await token.provision(instance: TokenManifest.makeInstance())
        return token
    }

    /// A started token that expects what was provisioned.
    func token(_ manifest: TokenManifest?) -> TPMToken {
        let token = TPMToken(configuration: configuration(manifest: manifest))
        token.start()
        return token
    }
}

extension TPMToken {
    /// Waits until the token says that it is not ready for this reason, however long a busy machine takes to find out.
    func isRefused(_ code: HSMError.Code) async throws {
        try await eventually("\(code) is told") { health.error?.code == code }
    }
}

/// A secret of known bytes.
func secret(_ text: String) throws -> SharedSecret {
    SharedSecret(try SecretBytes.make(count: text.utf8.count) { $0.copyBytes(from: Array(text.utf8)) })
}

func text(_ secret: SharedSecret) -> String { secret.withUnsafeBytes { String(decoding: $0, as: UTF8.self) } }

/// The code of the error that `body` throws; nil if it throws none.
func code(_ body: () async throws -> Void) async -> HSMError.Code? {
    do {
        try await body()
        return nil
    } catch {
        return (error as? HSMError)?.code
    }
}
