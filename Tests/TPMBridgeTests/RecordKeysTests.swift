import Encodings
import SecretMemory
import TestSupport
import Testing
import Token

@testable import TPMBridge

/// The stored form, against values made with another library (pyca/cryptography).
@Suite(.timeLimit(.minutes(10))) struct RecordKeysTests {
    let salt = [UInt8](32..<64)
    let context = Array("a context".utf8)
    let golden =
        "02202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f"
        + "7dd3d8bbc144ead36f970b7bc8c024261defa8cbab40f4c6b6"

    private func key() throws -> SharedSecret {
        SharedSecret(try SecretBytes.make(count: 32) { $0.copyBytes(from: [UInt8](0..<32)) })
    }

    @Test func theFormStays() throws {
        let sealed = try RecordKeys.seal(try secret("something"), key: try key(), salt: salt, context: context)
        #expect(Hexadecimal.encode(sealed) == golden)
        #expect(try RecordKeys.salt(of: sealed) == salt)
        #expect(text(try RecordKeys.open(sealed, key: try key(), context: context)) == "something")
        #expect(
            Hexadecimal.encode(try RecordKeys.message(role: .rootLock, salt: salt, context: context))
                == "6b6d73642f74706d2f7265636f72642d6b65792f763100726f6f742d6c6f636b"
                + "00202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e"
                + "3f91400e208dcc5bf4272d557bd7ce0871f1d3a2f4f90b22bcd67443c5b6d30cc3")
    }

    @Test func onlyTheExactBytesOpen() throws {
        var mutator = Mutator(seed: 5)
        let sealed = try #require(Hexadecimal.decode(golden))
        for _ in 0..<2000 {
            let altered = mutator.mutate(sealed)
            guard altered != sealed, (try? RecordKeys.salt(of: altered)) != nil else { continue }
            #expect(throws: HSMError.self) { try RecordKeys.open(altered, key: try key(), context: context) }
        }
    }

    @Test func damagedBlobsAreRefused() throws {
        var mutator = Mutator(seed: 6)
        for length in [0, 1, 10, 100, 2048, 4096] {
            let bytes = (0..<length).map { _ in UInt8(truncatingIfNeeded: mutator.next()) }
            #expect(throws: HSMError.self) { try TPMKeyBlob(bytes) }
        }
    }
}
