import Encodings
import InclusionProofs
import LibCrypto
import LightClient
import Synchronization

/// A node of a trial chain: what it answers, and how it was told to behave.
final class TrialNode: Sendable {
    struct Answer: Sendable {
        var status = 200
        var body: [UInt8]
    }

    private let source: TrialSource
    let behaviour = Mutex(Behaviour.honest)

    init(_ source: TrialSource) { self.source = source }

    func answer(_ question: NodeQuestion) -> Answer {
        let behaviour = behaviour.withLock { $0 }
        switch behaviour {
        case .garbage: return Answer(body: Array("<html>not a node</html>".utf8))
        case .huge: return Answer(body: [UInt8](repeating: 0x20, count: 8 << 20))
        case .error: return Answer(status: 500, body: NodeJSON.error("told to fail"))
        default: break
        }
        do {
            let chain: TrialChain
            switch source {
            case .chain(let made): chain = made
            case .recorded(let answers):
                guard let body = try answers.answer(question) else { throw TrialChainError.height }
                return Answer(body: body)
            }
            guard let result = try result(question, behaviour, chain) else {
                return Answer(status: 404, body: NodeJSON.error("no such method"))
            }
            return Answer(body: NodeJSON.result(result))
        } catch let error as NodeQuestion.Malformed {
            return Answer(status: 500, body: NodeJSON.error("malformed parameter \(error.name)"))
        } catch {
            return Answer(status: 500, body: NodeJSON.error("there is no such height"))
        }
    }

    private func result(_ question: NodeQuestion, _ behaviour: Behaviour, _ chain: TrialChain) throws -> NodeJSON? {
        let heights = 1...Int64.max
        let last = chain.height
        switch question.path {
        case "/status": return status(last, chain)
        case "/commit":
            let height = try question.number("height", in: heights) ?? last
            return try block(height, behaviour, chain).json
        case "/validators":
            let height = try question.number("height", in: heights) ?? last
            // The next block's are known already.
            guard height <= last + 1 else { throw TrialChainError.height }
            let page = try question.number("page", in: 1...1_000) ?? 1
            let size = try question.number("per_page", in: 1...100) ?? 30
            return chain.validators.json(height: height, page: Int(page), size: Int(size))
        case "/abci_query": return try query(question, behaviour, last, chain)
        default: return nil
        }
    }

    private func status(_ last: Int64, _ chain: TrialChain) -> NodeJSON {
        guard let block = chain.block(at: last), let hash = try? block.header.hash() else { return .null }
        return .object([
            ("node_info", .object([("network", .text(chain.settings.chainID))])),
            (
                "sync_info",
                .object([
                    ("latest_block_hash", .hex(hash)), ("latest_block_height", .big(last)),
                    ("latest_block_time", .time(block.header.time)), ("catching_up", .flag(false)),
                ])
            ),
        ])
    }

    /// A header as this node tells it.
    private func block(_ height: Int64, _ behaviour: Behaviour, _ chain: TrialChain) throws -> SignedHeader {
        guard let block = chain.block(at: height) else { throw TrialChainError.height }
        var header = block.header
        switch behaviour {
        case .forged:
            header.appHash = try Digest.sha256(header.appHash)
            return SignedHeader(header: header, commit: block.commit)
        case .fork: header.appHash = try Digest.sha256(header.appHash)
        case .otherChain: header.chainID += "-other"
        case .past: header.time = header.time.advanced(bySeconds: -86_400)
        case .future: header.time = header.time.advanced(bySeconds: 86_400)
        case .strangers:
            let keys = try chain.keys.map { _ in try SigningKey.generate(.ed25519) }
            let set = try ValidatorSet(
                zip(keys, chain.settings.powers).map { try Validator(publicKey: $0.publicKey, power: $1) })
            header.validatorsHash = set.hash
            header.proposerAddress = set.validators[0].address
            return try TrialChain.signed(header, set, keys)
        default: return block
        }
        return try TrialChain.signed(header, chain.validators, chain.keys)
    }

    private func query(
        _ question: NodeQuestion, _ behaviour: Behaviour, _ last: Int64, _ chain: TrialChain
    ) throws -> NodeJSON {
        guard let path = question.text("path"), path.startsExactly(with: "/store/"),
            path.utf8.suffix(4).elementsEqual("/key".utf8), path.utf8.count > 11
        else { throw NodeQuestion.Malformed(name: "path") }
        guard var key = try question.hex("data", counts: 1...256) else { throw NodeQuestion.Malformed(name: "data") }
        let store = Array(path.utf8.dropFirst(7).dropLast(4))
        var height = try question.number("height", in: 0...Int64.max) ?? 0
        if height == 0 { height = max(1, last - 1) }
        if behaviour == .wrongProof { key = [1] + (try Digest.sha256([0])) }
        guard let found = try chain.query(store: store, key: key, after: height) else {
            // A node would prove that there is nothing; that grants nothing, so here it is only said.
            return Self.response(height, key, value: nil, operations: .null)
        }
        let operations = [
            Self.operation("ics23:iavl", key, found.inStore), Self.operation("ics23:simple", store, found.overStores),
        ]
        return Self.response(height, key, value: found.value, operations: .object([("ops", .list(operations))]))
    }

    private static func operation(_ type: String, _ key: [UInt8], _ data: [UInt8]) -> NodeJSON {
        .object([("type", .text(type)), ("key", .base64(key)), ("data", .base64(data))])
    }

    private static func response(
        _ height: Int64, _ key: [UInt8], value: [UInt8]?, operations: NodeJSON
    ) -> NodeJSON {
        let value: NodeJSON = if let value { .base64(value) } else { .null }
        let response: [(String, NodeJSON)] = [
            ("code", .number(0)), ("log", .text("")), ("info", .text("")), ("index", .text("0")), ("key", .base64(key)),
            ("value", value), ("proofOps", operations), ("height", .big(height)), ("codespace", .text("")),
        ]
        return .object([("response", .object(response))])
    }
}
