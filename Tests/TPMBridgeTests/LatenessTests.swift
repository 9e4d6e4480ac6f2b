import Foundation
import Glibc
import TestSupport
import Testing
import Token

@testable import TPMBridge

/// A TPM that somebody else has, or that hangs, is late and not gone: the operator is told which of the two.
@Suite(.timeLimit(.minutes(10))) struct LatenessTests {
    private func words(at socket: String) async throws -> String {
        let tpm = try SoftTPM()
        var configuration = tpm.configuration()
        configuration.address.path = .socket(socket)
        configuration.callTimeout = .milliseconds(300)
        let token = TPMToken(configuration: configuration)
        token.start()
        try await eventually("a first try has failed") { token.health.error?.cause != nil }
        let error = token.health.error
        await token.shutdown()
        #expect(error?.code == .tokenUnavailable)
        return error?.message ?? ""
    }

    @Test func oneThatDoesNotAnswerIsLate() async throws {
        let tpm = try SoftTPM()
        let impostor = try Impostor(.silence, before: tpm)
        defer { impostor.end() }
        let words = try await words(at: impostor.socket)
        #expect(words.contains("did not answer Esys_Startup in time (token-timeout)"), "\(words)")
    }

    /// The kernel refuses a further connection at once, with EAGAIN, although the TPM is there and only busy.
    @Test func oneAtWhoseSocketTooManyWaitIsLate() async throws {
        let path = try ScratchDirectory.make("late").appendingPathComponent("tpm").path
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let length = socklen_t(MemoryLayout<sockaddr_un>.size)
        var opened: [Int32] = []
        defer { for descriptor in opened { close(descriptor) } }
        func open() -> Int32 {
            let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue), 0)
            opened.append(descriptor)
            return descriptor
        }
        func with(_ call: (UnsafePointer<sockaddr>) -> Int32) -> Int32 {
            withUnsafePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { call($0) }
            }
        }
        let listener = open()
        #expect(with { bind(listener, $0, length) } == 0 && listen(listener, 0) == 0)
        var waiting = 0
        while waiting < 100, case let peer = open(), with({ connect(peer, $0, length) }) == 0 { waiting += 1 }
        #expect(errno == EAGAIN)
        let words = try await words(at: path)
        #expect(words.contains("did not answer Esys_Startup in time (token-timeout)"), "\(words)")
    }

    @Test func oneThatIsNotThereIsNotLate() async throws {
        let words = try await words(at: "/nonexistent/tpm")
        #expect(words.contains("cannot be reached: No such file or directory. Is swtpm running?"), "\(words)")
    }

    @Test func aDeviceThatAnotherProgramHasIsNotTakenForAbsent() {
        #expect(TPMContext.hint(.device("/dev/tpm0"), EBUSY).contains("/dev/tpmrm0"))
        #expect(TPMContext.hint(.device("/dev/tpmrm0"), ENOENT).contains("firmware"))
    }
}
