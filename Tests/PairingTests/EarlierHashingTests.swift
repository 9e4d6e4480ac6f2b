import Testing

@testable import Pairing

/// Signatures that an earlier release made over messages it hashed wrongly are told apart, and are not accepted.
@Suite(.timeLimit(.minutes(10))) struct EarlierHashingTests {
    let generators: [BBSGenerators]

    /// Made by an earlier release, over "msg 0", "msg 2", "msg 36" and over "msg 2".
    let three: [UInt8]
    let one: [UInt8]

    init() throws {
        three = try #require(
            bytes(
                hex:
                    "98f739c950d4b09dcb2b6ed1a2b72584b9978bfa446046231044ca15b569d18b459fbe0a708fc966065d8c1aea9ecb8f"
                    + "165394d9cb56e2ff29b5b13708d14ff8d60feb23a2dc4f55bd8adeba55413b9241f52f4b93eea4b36e206637815c44e7"
                    + "217486f643c6a20dece7e6de146ceb7b"))
        one = try #require(
            bytes(
                hex:
                    "aab9e0a8e758a475789aa75be8bd1f2c0b5a319387153f4b21da54144f0ebbc6e42ec033f373c03207ee85895f08b882"
                    + "1346fc59f76ecf8869a3dd2bcc789ae27a35fd33ba10304289c70b9615eb5d7b3754733f489db07fb4d6403e659c3860"
                    + "2528e66a4ea5220d286e1856f4d21be1"))
        let key = try BBSPlus.PublicKey(
            compressed: try #require(
                bytes(
                    hex:
                        "92314734b9481868abea003f7c25e796f42c96130f2bdbe9979227da017400f3f3b22ebc6e43b6255e2f225faab2e5b0"
                        + "12e01dc2782c9c477ebaa3843296c727dc0898945d8c64c2be2965818f6e264f60676de97f83b4dc50cc1d3c5088bd7f"
                )))
        generators = try [0, 1, 2, 3].map { try BBSGenerators(publicKey: key, messageCount: max(1, $0)) }
    }

    @Test func signaturesOfAnEarlierReleaseOverAffectedMessagesAreToldApart() throws {
        let messages = ["msg 0", "msg 2", "msg 36"].map { Array($0.utf8) }
        for (encoded, messages) in [(three, messages), (one, [messages[1]])] {
            let signature = try BBSSignature(encoded: encoded)
            let generators = generators[messages.count]
            #expect(!BBSPlus.verify(signature, messages: messages, generators: generators))
            #expect(BBSPlus.verifiesByEarlierHashing(signature, messages: messages, generators: generators))
            var others = messages
            others[0] = Array("msg 1".utf8)
            #expect(!BBSPlus.verifiesByEarlierHashing(signature, messages: others, generators: generators))
        }
    }

    @Test func theEarlierHashingDiffersForOneMessageInTwelve() {
        let affected = (0..<120).filter {
            let message = Array("msg \($0)".utf8)
            return BBSPlus.EarlierHashing.scalar(message) != BBSPlus.hashToScalar(message)
        }
        #expect(affected == [2, 36, 50, 58, 65, 69, 73, 80, 94, 104])
    }

    @Test func soundSignaturesNeedNoSecondLook() throws {
        var random = TestRandom(seed: 79)
        let fill: BBSPlus.Generator = { $0.copyBytes(from: random.bytes($0.count)) }
        let secret = try written { try BLS12381.generateSecretKey(into: $0, from: fill) }
        let key = try secret.withUnsafeBytes { try BBSPlus.publicKey(of: $0) }
        let generators = try BBSGenerators(publicKey: key, messageCount: 1)
        let messages = [Array("msg 2".utf8)]
        let signature = try secret.withUnsafeBytes {
            try BBSPlus.sign(messages, secretKey: $0, generators: generators, from: fill)
        }
        #expect(BBSPlus.verify(signature, messages: messages, generators: generators))
        #expect(!BBSPlus.verifiesByEarlierHashing(signature, messages: messages, generators: generators))
    }
}
