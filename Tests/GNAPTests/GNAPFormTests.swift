import Encodings
import Foundation
import LibCrypto
import TestSupport
import Testing

@testable import GNAP

enum JSONNodeReader {
    static func read(_ bytes: [UInt8]) throws -> JSONNode { try JSONNode(reading: bytes) }
}

/// Fields and files, right and wrong.
@Suite(.timeLimit(.minutes(10))) struct GNAPFormTests {
    /// RFC 9421 appendix B.2.4 signs with this P-256 key; the text there is rebuilt and its signature verified.
    @Test func theVectorOfRFC9421Verifies() throws {
        let jwk = try JSONNodeReader.read(
            Array(
                #"{"kty":"EC","crv":"P-256","x":"qIVYZVLCrPZHGHjP17CTW0_-D9Lfw0EkjqF7xB4FivA","#.utf8)
                + Array(#""y":"Mc4nN9LTDOBhfoUeg8Ye9WedFRhnZXZJA12Qp0zZ6F0"}"#.utf8))
        let base = """
            "@status": 200
            "content-type": application/json
            "content-digest": sha-512=:mEWXIS7MaLRuGgxOBdODa3xqM1XdEvxoYhvlCFJ41QJgJc4GTsPp29l5oGX69wWdXymyU0rjJuahq4l5aGgfLQ==:
            "content-length": 23
            "@signature-params": ("@status" "content-type" "content-digest" "content-length");created=1618884473;keyid="test-key-ecc-p256"
            """
        let signature =
            ":wNmSUAhwb5LxtOtOpNa6W5xj067m5hFrj0XQ4fvpaCLx0NKocgPquLgyahnzDnDAUy5eCdlYUEkLIj+32oiasw==:"
        let bytes = try #require(ContentDigest.byteSequence(signature))
        let key = try ClientKey(jwk: jwk)
        #expect(key.verifies(bytes, Array(base.utf8)))
        #expect(!key.verifies(bytes, Array(base.utf8) + [0x0a]))
    }

    @Test(arguments: [
        "", "sig1", "sig1=", "sig1=()", #"sig1=("@method""#, #"sig2=("@method");created=1"#, #"sig1=(@method)"#,
        #"sig1=("@method";req);created=1"#, #"sig1=("@method" "@method")"#, #"sig1=("@path")"#, #"sig1=("A")"#,
        #"sig1=("")"#, #"sig1=("a\"b")"#, #"sig1=("@method"),sig2=("@method")"#, #"sig1=("@method") ;created=1"#,
        #"sig1=("@method");created"#, #"sig1=("@method");created="#, #"sig1=("@method");created=1;"#,
        #"sig1=("@method");expires=99999999999999999999"#, #"sig1=("@method");alg=1"#, #"sig1=("@method");alg="a"#,
        #"sig1=("@method");other="a""#, #"sig1=("@method");keyid="a";keyid="b""#, "sig1=(\"@method\")\n",
        #" sig1=("@method")"#, "sig1=(\"é\")",
    ])
    func otherInputsAreRefused(_ field: String) {
        #expect(SignatureInput(field) == nil)
    }

    @Test func longInputsAreRefused() {
        let many = (0..<33).map { "\"a\($0)\"" }.joined(separator: " ")
        #expect(SignatureInput("sig1=(\(many))") == nil)
        #expect(SignatureInput(#"sig1=("@method");nonce="\#(String(repeating: "a", count: 4096))""#) == nil)
    }

    @Test func aLineBreakInAFieldSignsNothing() throws {
        let input = try #require(SignatureInput(#"sig1=("x-a")"#))
        func request(_ value: String) -> MessageRequest {
            MessageRequest(method: "GET", targetURI: "https://a/", fields: ["x-a": [value]], body: [])
        }
        #expect(input.base(for: request("1\n\"@method\": GET")) == nil)
        #expect(input.base(for: request(" 1\t"))?.hasPrefix("\"x-a\": 1\n") == true)
        #expect(SignatureInput(#"sig1=("x-b")"#)?.base(for: request("1")) == nil)
    }

    @Test func mutatedInputsMeanTheSameOrNothing() throws {
        let good = #"sig1=("@method" "@target-uri" "content-digest" "authorization");created=1;keyid="abc";alg="x""#
        var mutator = Mutator(seed: 12)
        for _ in 0..<20_000 {
            let text = String(decoding: mutator.mutate(Array(good.utf8)), as: UTF8.self)
            guard let input = SignatureInput(text) else { continue }
            #expect(text == "sig1=" + input.parameters)
            #expect(Set(input.components).count == input.components.count)
        }
    }

    @Test func mutatedDigestsFitNothing() throws {
        let body = Array("body".utf8)
        let good = try ContentDigest.field(body)
        #expect(ContentDigest.fits(good, body))
        var mutator = Mutator(seed: 13)
        for _ in 0..<20_000 {
            let text = String(decoding: mutator.mutate(Array(good.utf8)), as: UTF8.self)
            guard ContentDigest.fits(text, body) else { continue }
            // Base64 leaves two bits of the last character over.
            #expect(text.contains("sha-256=:") && text.utf8.count >= good.utf8.count - 1, "\(text)")
        }
    }

    @Test func theSigningKeyIsAnECPrivateKey() throws {
        let key = try resourceServerKey()
        #expect(key.keyID.utf8.count == 43)
        #expect(try JSONNodeReader.read(Array(key.jwk.utf8))["x"]?.text?.utf8.count == 43)
        let pem = try OpenSSLCommand.output(["ecparam", "-name", "prime256v1", "-genkey", "-noout"])
        #expect(throws: Never.self) { try ResourceServerKey(pem: try secret(pem)) }
        // The same key in its other forms: PKCS#8, and with a compressed public point.
        let expected = try ResourceServerKey(pem: try secret(pem)).keyID
        for arguments in [["pkcs8", "-topk8", "-nocrypt"], ["ec", "-conv_form", "compressed"]] {
            let same = try OpenSSLCommand.output(arguments, input: pem)
            #expect(try ResourceServerKey(pem: try secret(same)).keyID == expected)
        }
        let others: [[UInt8]] = [
            try OpenSSLCommand.output(["pkcs8", "-topk8", "-passout", "pass:x"], input: pem),
            try OpenSSLCommand.output(["ec", "-aes128", "-passout", "pass:x"], input: pem),
            try OpenSSLCommand.output(["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"]),
            [], Array("nothing".utf8), try OpenSSLCommand.output(["ecparam", "-name", "secp384r1", "-genkey"]),
            try OpenSSLCommand.output(["ecparam", "-name", "secp256k1", "-genkey"]),
            try OpenSSLCommand.output(["genpkey", "-algorithm", "ED25519"]),
            try OpenSSLCommand.output(["ec", "-pubout"], input: pem), Array(pem.dropLast(40)),
        ]
        for other in others {
            let error = #expect(throws: GNAPError.self) { try ResourceServerKey(pem: try secret(other)) }
            #expect(error?.code == .keyRefused)
        }
    }

    @Test func mutatedKeyFilesAreReadOrRefused() throws {
        let pem = try OpenSSLCommand.output(["ecparam", "-name", "prime256v1", "-genkey", "-noout"])
        var mutator = Mutator(seed: 14)
        for _ in 0..<2_000 {
            let bytes = mutator.mutate(pem)
            do { _ = try ResourceServerKey(pem: try secret(bytes)) } catch { #expect(error is GNAPError) }
        }
    }
}
