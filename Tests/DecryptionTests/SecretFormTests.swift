import LibCrypto
import SecretMemory
import TFHE
import Testing
import Token

@testable import Decryption

@Suite("Forms with a secret in them are the public ones, in locked memory", .timeLimit(.minutes(10)))
struct SecretFormTests {
    private static let samples: [[UInt8]] =
        [[], [0], [1], [0x7F], [0x80], [0xFF], [0, 0], [1, 0, 0], [0xFF, 0x80, 0, 0], Array(0...255)]

    @Test("A secret vector and a secret number are written as public ones are")
    func aSecretVectorAndASecretNumberAreWrittenAsPublicOnesAre() throws {
        for sample in Self.samples {
            let secret = try SharedSecret.of(sample)
            for (hidden, open) in [
                (WireDER.secretVector(secret), WireDER.vector(sample)),
                (.secretNumber(secret), .number(sample.reversed())),
                (.sequence([.secretVector(secret), .text("x")]), .sequence([.vector(sample), .text("x")])),
            ] {
                let encoded = try hidden.secretlyEncoded()
                #expect(encoded.withUnsafeBytes { Array($0) } == open.encoded)
            }
        }
    }

    @Test("A result around a secret is signed in the same form as a public one")
    func aResultAroundASecretIsSignedInTheSameFormAsAPublicOne() throws {
        let answer = KeptAnswer(
            digest: [UInt8](repeating: 1, count: 32), result: [7, 0, 200], signature: [], algorithm: "ES256K",
            signer: "s",
            account: [], keyID: "k", handle: [UInt8](repeating: 2, count: 32), fheType: 2, chainID: "c", height: 5,
            headerHash: [3], appHash: [4], noiseMargin: 9, policy: [5])
        let hidden = try answer.signed(method: "public-decrypt", around: .of([7, 0, 200]))
        let open = ResultMessage(answer.signed(method: "public-decrypt")).encoded
        #expect(hidden.encoded.withUnsafeBytes { Array($0) } == open)
    }

    @Test("A boxed message is wiped when its owner ends, and the box opens to it")
    func aBoxedMessageIsWipedWhenItsOwnerEndsAndTheBoxOpensToIt() throws {
        let pair = try AgreementKey.generate(.x25519)
        let signcryption = Signcryption(
            receiver: [2] + [UInt8](repeating: 1, count: 32), encryptionKey: pair.publicKey,
            verificationKey: [2] + [UInt8](repeating: 1, count: 32))
        let canary = (0..<600).map { UInt8(truncatingIfNeeded: 37 &* $0 &+ 11) }
        var place: UnsafeRawPointer?
        let sealed: [UInt8]
        do {
            let message = try SecretBytes(copying: canary)
            message.withUnsafeBytes { place = $0.baseAddress }
            sealed = try signcryption.seal(message, signature: [UInt8](repeating: 1, count: 64))
        }
        // The arena keeps the page: the slot is readable, and nothing of the message is in it.
        let left = UnsafeRawBufferPointer(start: place, count: canary.count)
        #expect(left.allSatisfy { $0 == 0 })
        #expect(sealed.count > canary.count)
    }

    @Test("Only what begins with a DER SEQUENCE is a result that is signed as it stands")
    func onlyWhatBeginsWithADERSequenceIsAResultThatIsSignedAsItStands() throws {
        #expect(SecretResult(sequence: try SecretBytes(copying: [0x30, 0])) != nil)
        for other: [UInt8] in [[], [0x31, 0], [0, 0x30]] {
            #expect(SecretResult(sequence: try SecretBytes(copying: other)) == nil)
        }
    }
}
