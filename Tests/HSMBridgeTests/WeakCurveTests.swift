import TestSupport
import Testing
import Token

@testable import HSMBridge

/// Curves that can be broken, by name and by explicit parameters, which OpenSSL and SoftHSM take as well.
@Suite(.timeLimit(.minutes(10))) struct WeakCurveTests {
    /// As `openssl ecparam -name NAME -param_enc explicit -outform DER` writes it.
    private static func explicit(_ name: String) throws -> [UInt8] {
        Array(
            try Command.succeed(
                "openssl", ["ecparam", "-name", name, "-param_enc", "explicit", "-outform", "DER"]
            ).output)
    }

    @Test(arguments: [
        "secp112r1", "secp128r1", "secp160k1", "prime192v1", "brainpoolP160r1", "brainpoolP192t1", "sect113r1",
        "c2pnb163v1", "c2tnb191v1", "wap-wsg-idm-ecid-wtls9",
    ])
    func explicitParametersHideNothing(name: String) throws {
        let named = Array(try Command.succeed("openssl", ["ecparam", "-name", name, "-outform", "DER"]).output)
        let bits = try #require(WeakCurves.bits(of: named))
        let told = try #require(WeakCurves.bits(of: try Self.explicit(name)))
        // A name says about how many bits; the order is exact.
        #expect(abs(bits - told) <= 2 && told < 224)
    }

    @Test(arguments: ["prime256v1", "secp384r1", "secp521r1", "secp256k1", "brainpoolP256r1", "sect283k1", "secp224r1"])
    func largeOnesAreNot(name: String) throws {
        #expect(WeakCurves.bits(of: try Self.explicit(name)) == nil)
        #expect(WeakCurves.bits(of: PairingParameters.bn254) == nil)
    }

    @Test func nonsenseIsNoCurve() throws {
        let whole = try Self.explicit("secp112r1")
        for length in 0..<whole.count { #expect(WeakCurves.bits(of: Array(whole.prefix(length))) == nil) }
        #expect(WeakCurves.bits(of: [0x30, 0x84, 0xff, 0xff, 0xff, 0xff]) == nil)
        #expect(WeakCurves.bits(of: [0x05, 0x00]) == nil)
    }
}
