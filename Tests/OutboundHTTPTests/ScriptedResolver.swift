import Synchronization

@testable import OutboundHTTP

/// A name server of the test's: each question takes the next answer, the last one stays.
final class ScriptedResolver: AddressResolving {
    private let answers: Mutex<[[String]]>
    private let questions = Mutex(0)

    init(_ answers: [String]...) { self.answers = Mutex(answers) }

    var count: Int { questions.withLock { $0 } }

    func addresses(of name: String, within limit: Duration) async throws(OutboundError) -> [NetworkAddress] {
        questions.withLock { $0 += 1 }
        let answer = answers.withLock { $0.count > 1 ? $0.removeFirst() : $0[0] }
        return answer.compactMap { NetworkAddress($0) }
    }
}
