import TestSupport
import TestTokens
import Testing
import Token

@testable import HSMBridge

extension ResidentKeyTests {
    @Test func fewHandlesServeManyKeys() async throws {
        let soft = try SoftHSMToken.make()
        var configuration = soft.configuration()
        configuration.residentHandleLimit = 2
        let token = PKCS11Token(configuration: configuration)
        token.start()
        try await token.waitUntilReady(timeout: .seconds(120))
        _ = try await token.provision(instance: TokenManifest.makeInstance())
        var keys: [ResidentKeyBlob] = []
        for _ in 0..<50 { keys.append(try await token.generateResident(.hmacSHA256)) }
        let before = try await Self.sessionObjects(token)
        let expected = try await withThrowingTaskGroup(of: (Int, [UInt8]).self) { group in
            for (index, key) in keys.enumerated() { group.addTask { (index, try await token.mac([9], with: key)) } }
            return try await group.reduce(into: [Int: [UInt8]]()) { $0[$1.0] = $1.1 }
        }
        for (index, key) in keys.enumerated().reversed() {
            #expect(try await token.mac([9], with: key) == expected[index])
        }
        let after = try await Self.sessionObjects(token)
        #expect(after <= before + 2, "evicted keys are destroyed, not only forgotten")
        for key in keys { await token.forget(key.identifier) }
        #expect(try await Self.sessionObjects(token) == before)
        await token.shutdown()
    }

    /// The extractable original exists for one hop only; what remains is never extractable.
    @Test func nothingExtractableRemains() async throws {
        let token = try await SoftHSMToken.make().provisioned()
        let expected = KeyRole.allCases.count + token.residentAlgorithms.count
        var flags: [[Bool?]] = []
        // Other tests make the module initialise again, and then unwrapped keys are gone; a second round finds them.
        for _ in 0..<10 where flags.count < expected {
            for algorithm in token.residentAlgorithms { try await Self.useOnce(algorithm, token) }
            flags = try await Self.secretFlags(token)
        }
        #expect(flags.count >= expected)
        #expect(flags.allSatisfy { $0 == [true, true, false] })
        await token.shutdown()
    }

    static func useOnce(_ algorithm: ResidentAlgorithm, _ token: PKCS11Token) async throws {
        let key = try await token.generateResident(algorithm)
        switch algorithm {
        case .aes128, .aes256:
            _ = try await token.encrypt([1], nonce: SystemRandom.bytes(12), associatedData: [], with: key)
        case .hmacSHA256: _ = try await token.mac([1], with: key)
        case .p256, .p384, .p521, .secp256k1, .ed25519:
            _ = try await token.sign(digest: SystemRandom.bytes(32), with: key)
        case .p256Agreement, .p384Agreement, .p521Agreement:
            _ = try await token.agree(with: try #require(key.publicKey), key: key)
        }
    }

    /// CKA_PRIVATE, CKA_SENSITIVE and CKA_EXTRACTABLE of everything secret on the token, session objects included.
    static func secretFlags(_ token: PKCS11Token) async throws -> [[Bool?]] {
        try await token.performSerialised { (session, _) throws(HSMError) in
            var flags: [[Bool?]] = []
            for object in try session.find([]) {
                let objectClass = try session.number(.objectClass, of: object)
                guard objectClass != ObjectClass.publicKey.rawValue else { continue }
                flags.append([
                    try session.flag(.private, of: object), try session.flag(.sensitive, of: object),
                    try session.flag(.extractable, of: object),
                ])
            }
            return flags
        }
    }

    static func sessionObjects(_ token: PKCS11Token) async throws -> Int {
        try await token.performSerialised { (session, _) throws(HSMError) in
            try session.find([.flag(.token, false)]).count
        }
    }
}
