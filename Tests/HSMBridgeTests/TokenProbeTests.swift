import TestSupport
import TestTokens
import Testing
import Token

@testable import HSMBridge

/// What SoftHSM 2.6.1 really does, as the probe finds it.
extension DisturbingTests {
    @Suite(.timeLimit(.minutes(10))) struct TokenProbeTests {
        private static let identity = TokenIdentity(label: "t", serial: "s", manufacturer: "m", model: "x")

        private func report() throws -> ProbeReport {
            let token = try SoftHSMToken.make()
            let user = ModuleUser()
            let module = try Module.attach(token.modulePath, user: ObjectIdentifier(user))
            defer { module.detach(user: ObjectIdentifier(user)) }
            let door = CallDoor(module: module, observer: SilentObserver(), faults: nil)
            let found = try TokenSearch.find(door: door, uri: token.uri, manifest: nil)
            let keeper = try Session(door: door, slot: found.slot, epoch: found.epoch, access: .readWrite)
            try keeper.login(pin: token.pinSource.load())
            let report = try TokenProbe.report(identity: Self.identity) { () throws(HSMError) in
                try Session(door: door, slot: found.slot, epoch: found.epoch, access: .readWrite)
            }
            let left = try keeper.find([])
            #expect(left.isEmpty, "the probe left \(left.count) objects behind")
            return report
        }

        @Test func aSoftTokenProvesWhatItCanDo() throws {
            let report = try report()
            for name in [
                "aes-256-gcm", "hmac-sha-256", "ecdsa-p256", "ecdsa-p384", "ecdsa-p521", "ecdsa-secp256k1", "ed25519",
                "ecdh-p256", "ecdh-bn254", "kwp-aes", "kwp-ec", "session-copies", "unwrap-template-enforced",
                "allowed-mechanisms-enforced",
            ] {
                #expect(report[name]?.outcome == .ok, "\(name): \(report[name]?.detail ?? "missing")")
            }
            #expect(report.parallelSessions >= 8)
            #expect((report["aes-256-gcm"]?.rate ?? 0) > 1_000)
            #expect((report["ecdsa-p256"]?.rate ?? 0) > 500)
        }

        /// SoftHSM 2.6.1 refuses to wrap Ed25519 keys; the probe must say so and name the reason.
        @Test func whatATokenCannotDoIsToldWithItsReason() throws {
            let capability = try report()["kwp-ed25519"]
            #expect(capability?.outcome == .absent)
            #expect(capability?.detail == "CKR_KEY_NOT_WRAPPABLE from C_WrapKey")
        }
    }
}
