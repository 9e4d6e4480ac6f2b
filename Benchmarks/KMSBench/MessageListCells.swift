import WorkingKeys

/// BBS+ over 1, 10 and 100 messages, half of them revealed; generators are in the cache, as for the second request.
enum MessageListCells {
    static func measure() throws {
        let key = try WorkingKey(versions: [try KeyMaterial.generate(.bls12381G2)], primary: 0)
        for count in [1, 10, 100] {
            let cache = BBSGeneratorCache()
            let messages = (0..<count).map { [UInt8]("message \($0)".utf8) }
            let revealed = Array(0..<(count + 1) / 2)
            let shown = revealed.map { messages[$0] }
            let signature = try key.signMulti(messages, generators: cache)
            let proof = try key.deriveProof(
                signature, messages: messages, revealed: revealed, nonce: [1], generators: cache)
            func cell(_ name: String, _ body: () throws -> Void) throws {
                try BatchTimer.measure("BBS+: \(name), messages: \(count)", turns: 1, batches: 20, body)
            }
            try cell("sign") { _ = try key.signMulti(messages, generators: cache) }
            try cell("verify") { try key.verifyMulti(signature, messages: messages, generators: cache) }
            try cell("derive a proof") {
                _ = try key.deriveProof(
                    signature, messages: messages, revealed: revealed, nonce: [1], generators: cache)
            }
            try cell("verify a proof") {
                try key.verifyProof(proof, messages: shown, nonce: [1], generators: cache)
            }
            try cell("sign, generators not in the cache") {
                _ = try key.signMulti(messages, generators: BBSGeneratorCache())
            }
        }
    }
}
