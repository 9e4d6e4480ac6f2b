import Foundation
import TestSupport
import Testing
import Token

@testable import TPMBridge

/// What counts in 16 bits inside a TPM, and so stops somebody after 65,536 turns (tpm2-pkcs11's issue 843 is one case).
/// `scripts/bench --only tpm-endurance` makes 200,000 uses of keys besides.
@Suite(.timeLimit(.minutes(10))) struct EnduranceTests {
    /// A TPM numbers saved sessions in 16 bits. While one program keeps a saved session, others can save theirs 65,535
    /// times; then the TPM says CONTEXT_GAP to every one of them (TPM 2.0 Library part 1, section 30.5). The daemon's
    /// session is never saved, so it goes on, on the one connection that it made.
    @Test func otherProgramsSessionsUsedUpDoNotStopOurs() async throws {
        let tpm = try SoftTPM()
        let token = try await tpm.provisioned()
        let key = try await token.generateResident(.hmacSHA256)
        let expected = try await token.mac([1], with: key)
        let connections = token.connections
        let kept = tpm.state.deletingLastPathComponent().appendingPathComponent("session").path
        try tpm.tool("tpm2_startauthsession", ["--hmac-session", "-S", kept])

        let other = try SavedSession(tpm)
        var turns = 0
        while turns < 70_000, try other.saveAndLoad(times: 1000) {
            turns += 1000
            if turns % 10_000 == 0 {
                #expect(try await token.mac([1], with: key) == expected)
            }
        }
        #expect(turns < 70_000, "no rollover was crossed")
        for _ in 0..<20 { #expect(try await token.mac([1], with: key) == expected) }
        #expect(token.connections == connections)
        try tpm.tool("tpm2_flushcontext", [kept])
        #expect(try other.saveAndLoad(times: 10))
        #expect(token.connections == connections)
        await token.shutdown()
    }
}

/// A session of another program, taken out of the TPM and put back as a resource manager does. Commands are written byte
/// by byte (TPM 2.0 Library part 3).
private final class SavedSession {
    private static let contextGap: UInt32 = 0x901
    private let transport: Transport
    private var handle: [UInt8] = []

    init(_ tpm: SoftTPM) throws {
        transport = Transport(tpm.address.path)
        // TPM2_StartAuthSession: no key, no bind object, a nonce of 16 bytes, no salt, HMAC, no cipher, SHA-256.
        let null: [UInt8] = [0x40, 0, 0, 0x07]
        let nonce: [UInt8] = [0, 16] + SystemRandom.bytes(16)
        let answer = try command(0x176, null + null + nonce + [0, 0, 0, 0, 0x10, 0, 0x0B])
        try #require(answer.code == 0)
        handle = Array(answer.body.prefix(4))
        transport.release()
    }

    /// - Returns: False if the TPM has no number left to save it under.
    func saveAndLoad(times: Int) throws -> Bool {
        defer { transport.release() }
        for _ in 0..<times {
            // TPM2_ContextSave.
            let saved = try command(0x162, handle)
            if saved.code == Self.contextGap { return false }
            try #require(saved.code == 0)
            // TPM2_ContextLoad.
            let loaded = try command(0x161, saved.body)
            try #require(loaded.code == 0)
            handle = Array(loaded.body.prefix(4))
        }
        return true
    }

    private func command(_ number: UInt32, _ body: [UInt8]) throws -> (code: UInt32, body: [UInt8]) {
        func bytes(_ value: UInt32) -> [UInt8] { withUnsafeBytes(of: value.bigEndian, Array.init) }
        transport.deadline = .now + .seconds(20)
        let text: [UInt8] = [0x80, 0x01] + bytes(UInt32(10 + body.count)) + bytes(number) + body
        try #require(text.withUnsafeBytes { transport.send($0) })
        var buffer = [UInt8](repeating: 0, count: Transport.longestResponse)
        let count = try #require(buffer.withUnsafeMutableBytes { transport.receive(into: $0) })
        return (buffer[6..<10].reduce(0) { $0 << 8 | UInt32($1) }, Array(buffer[10..<count]))
    }
}
