import OutboundHTTP
import SecretMemory
import Synchronization

/// Another server as a script: what it answers next, and what it was asked.
final class ScriptedServer: OutboundSending {
    private let state = Mutex<(answer: Result<OutboundAnswer, OutboundError>, requests: [OutboundRequest])>(
        (.failure(OutboundError(.unreachable, "down")), []))

    var requests: [OutboundRequest] { state.withLock { $0.requests } }

    func answers(_ status: Int, _ body: String) {
        state.withLock { $0.answer = .success(OutboundAnswer(status: status, body: Array(body.utf8))) }
    }

    func isDown() { state.withLock { $0.answer = .failure(OutboundError(.unreachable, "down")) } }

    func send(_ request: OutboundRequest) async throws(OutboundError) -> OutboundAnswer {
        try state.withLock { state in
            state.requests.append(request)
            return state.answer
        }.get()
    }
}

func secret(_ text: String) throws -> SharedSecret { try secret(Array(text.utf8)) }

func secret(_ bytes: [UInt8]) throws -> SharedSecret {
    SharedSecret(try SecretBytes.make(count: bytes.count) { $0.copyBytes(from: bytes) })
}

func bytes(_ secret: SharedSecret?) -> [UInt8]? { secret?.withUnsafeBytes { Array($0) } }
