import CTSS2
import Foundation
import HSMBridge
import TestSupport
import Testing

@testable import TPMBridge

/// What counts in 16 bits inside a TPM, and so stops somebody after 65,536 turns (tpm2-pkcs11's issue 843 is one case).
/// `scripts/bench --only tpm-endurance` makes 200,000 uses of keys besides.
@Suite struct EnduranceTests {
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

/// A session of another program, taken out of the TPM and put back as a resource manager does.
private final class SavedSession {
    private let context: TPMContext
    private var handle: UInt32

    init(_ tpm: SoftTPM) throws {
        context = try TPMContext(tpm.address.path, deadline: .now + .seconds(20))
        let before = Set(try context.handles(from: KMS_TPM2_LOADED_SESSION_FIRST))
        try context.startSession(saltedBy: TPMContext.none)
        let after = Set(try context.handles(from: KMS_TPM2_LOADED_SESSION_FIRST))
        handle = try #require(after.subtracting(before).first)
        context.transport.release()
    }

    /// - Returns: False if the TPM has no number left to save it under.
    func saveAndLoad(times: Int) throws -> Bool {
        context.transport.deadline = .now + .seconds(60)
        defer { context.transport.release() }
        var system: OpaquePointer?
        _ = Esys_GetSysContext(context.esys, &system)
        for _ in 0..<times {
            var saved = TPMS_CONTEXT()
            let response = TPMResponse(rawValue: Tss2_Sys_ContextSave(system, handle, &saved))
            // CONTEXT_GAP.
            if response.code == 0x901 { return false }
            try #require(response == .success)
            try #require(Tss2_Sys_ContextLoad(system, &saved, &handle) == 0)
        }
        return true
    }
}
