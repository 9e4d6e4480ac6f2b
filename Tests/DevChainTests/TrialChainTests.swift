import InclusionProofs
import LibCrypto
import LightClient
import Synchronization
import Testing

@testable import DevChain

/// What the trial chain makes is held against the verifiers that do not know it.
@Suite(.timeLimit(.minutes(2))) struct TrialChainTests {
    private static func chain(_ count: Int = 3) throws -> TrialChain {
        let list = try AccessList(
            contract: [UInt8](repeating: 7, count: 20), base: AccessList.namespace, decryptOffset: 1, reencryptOffset: 0
        )
        return try TrialChain(
            TrialChain.Settings(chainID: "kmsd-test-1", accessList: list), count: count, now: 1_700_000_000)
    }

    @Test func `proofs of stores of every small size lead to the application hash of the next header`() throws {
        let chain = try Self.chain()
        var handles: [[UInt8]] = []
        for number in UInt8(0)..<40 {
            let handle = try Digest.sha256([number])
            let permission: AccessList.Permission =
                number % 2 == 0 ? .decrypt : .reencrypt(account: [UInt8](repeating: number, count: 20))
            let height = try chain.set(permission, of: handle, isGiven: true)
            try chain.append(now: 0)
            try chain.append(now: 0)
            handles.append(handle)
            let header = try #require(chain.block(at: height)).header
            let key = try chain.settings.accessList.storeKey(permission, handle: handle)
            let found = try #require(try chain.query(store: Array("evm".utf8), key: key, after: height - 1))
            #expect(found.value == AccessList.granted)
            let proof = try StoreProof(Self.operations(key, found))
            try chain.settings.accessList.verify(proof, permission, handle: handle, appHash: header.appHash)
            // The state before knows nothing of it, and the header before is of another state.
            #expect(try chain.query(store: Array("evm".utf8), key: key, after: height - 2) == nil)
            let before = try #require(chain.block(at: height - 1)).header
            #expect(throws: ProofError.self) {
                try chain.settings.accessList.verify(proof, permission, handle: handle, appHash: before.appHash)
            }
        }
    }

    private static func operations(
        _ key: [UInt8], _ found: (value: [UInt8], inStore: [UInt8], overStores: [UInt8])
    ) -> [UInt8] {
        ProtobufWriter.writing {
            for (type, name, data) in [
                ("ics23:iavl", key, found.inStore), ("ics23:simple", Array("evm".utf8), found.overStores),
            ] {
                $0.message(
                    1,
                    ProtobufWriter.writing {
                        $0.bytes(1, Array(type.utf8))
                        $0.bytes(2, name)
                        $0.bytes(3, data)
                    })
            }
        }
    }

    @Test func `a mark that was taken back is another value from then on`() throws {
        let chain = try Self.chain()
        let handle = try Digest.sha256([1])
        let given = try chain.set(.decrypt, of: handle, isGiven: true)
        for _ in 0..<3 { try chain.append(now: 0) }
        let taken = try chain.set(.decrypt, of: handle, isGiven: false)
        for _ in 0..<3 { try chain.append(now: 0) }
        let key = try chain.settings.accessList.storeKey(.decrypt, handle: handle)
        let evm = Array("evm".utf8)
        #expect(try chain.query(store: evm, key: key, after: given - 1)?.value == AccessList.granted)
        #expect(try chain.query(store: evm, key: key, after: taken - 1)?.value == [UInt8](repeating: 0, count: 32))
    }

    @Test func `what a node writes is read back as the header that was made`() throws {
        let chain = try Self.chain(6)
        let node = TrialNode(.chain(chain))
        for height in Int64(1)...6 {
            let answer = node.answer(NodeQuestion(path: "/commit", parameters: [("height", "\(height)")]))
            #expect(try NodeReply.commit(answer.body) == chain.block(at: height))
            let last = height > 1 ? try chain.hash(at: height - 1) ?? [] : []
            #expect(try NodeReply.commit(answer.body).header.lastBlockID.hash == last)
        }
        let status = try NodeReply.status(node.answer(NodeQuestion(path: "/status", parameters: [])).body)
        #expect(status.latestHeight == 6 && status.network == "kmsd-test-1")
    }

    @Test func `times are written as they are read`() throws {
        let seconds: [Int64] = [
            0, -1, 951_782_399, 951_782_400, 1_709_164_800, 4_107_542_399, 253_402_300_799, -62_135_596_800,
            1_700_000_000,
        ]
        for seconds in seconds {
            for nanoseconds in [UInt32(0), 1, 999_999_999] {
                let time = try #require(ChainTime(seconds: seconds, nanoseconds: nanoseconds))
                #expect(ChainTime(rfc3339: Array(time.rfc3339.utf8)) == time)
            }
        }
    }

    @Test(arguments: Behaviour.allCases.filter { $0 != .honest && $0 != .stall && $0 != .wrongProof })
    func `a node that lies shows no header of the chain`(_ behaviour: Behaviour) throws {
        let chain = try Self.chain(4)
        let node = TrialNode(.chain(chain))
        node.behaviour.withLock { $0 = behaviour }
        let answer = node.answer(NodeQuestion(path: "/commit", parameters: [("height", "3")]))
        let read = try? NodeReply.commit(answer.body)
        #expect(read?.header != chain.block(at: 3)?.header)
    }
}
