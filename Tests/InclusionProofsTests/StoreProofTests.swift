import Testing

@testable import InclusionProofs

@Suite(.timeLimit(.minutes(10))) struct StoreProofTests {
    @Test func theRecordedProofOfAnEthermintChainVerifies() throws {
        let file = try VectorFile.read("ethermint_proofops.json")
        let proof = try StoreProof(file.hex("proof_ops_hex"))
        let (key, value, root) = try (file.hex("key"), file.hex("value"), file.hex("app_hash"))
        try proof.verify(store: "evm", key: key, value: value, appHash: root)
        #expect(throws: ProofError.self) {
            try proof.verify(store: "bank", key: key, value: value, appHash: root)
        }
        #expect(throws: ProofError.self) {
            try proof.verify(store: "evm", key: key, value: AccessList.granted, appHash: root)
        }
        #expect(throws: ProofError.self) {
            try proof.verify(store: "evm", key: key.reversed(), value: value, appHash: root)
        }
        #expect(throws: ProofError.self) {
            try proof.verify(store: "evm", key: key, value: value, appHash: root.reversed())
        }
    }

    /// Whatever bit is changed, the proof is refused: nothing in it is beside the point.
    @Test func everyBitOfAProofCounts() throws {
        let file = try VectorFile.read("ethermint_proofops.json")
        let bytes = try file.hex("proof_ops_hex")
        let (key, value, root) = try (file.hex("key"), file.hex("value"), file.hex("app_hash"))
        for position in bytes.indices {
            for bit in 0..<8 {
                var changed = bytes
                changed[position] ^= 1 << UInt8(bit)
                #expect(throws: ProofError.self, "byte \(position), bit \(bit)") {
                    try StoreProof(changed).verify(store: "evm", key: key, value: value, appHash: root)
                }
            }
            #expect(throws: ProofError.self, "cut at \(position)") {
                try StoreProof(Array(bytes[..<position])).verify(store: "evm", key: key, value: value, appHash: root)
            }
        }
        #expect(throws: ProofError.self) { try StoreProof(bytes + [0x0a, 0x00]) }
        #expect(throws: ProofError.self) { try StoreProof(bytes + bytes) }
        #expect(throws: ProofError.self) {
            try StoreProof([UInt8](repeating: 0x0a, count: StoreProof.maximumLength + 1))
        }
    }

    /// Permissions by libraries that know nothing of this code.
    @Test func proofsByStrangersAreJudgedAsTheySay() throws {
        let file = try VectorFile.read("strangers-ics23.json")
        let root = try file.hex("app_hash")
        let list = try namespaced(file.hex("acl_contract"))
        var granted = 0
        for item in try file.objects("cases") {
            let permission = try permission(item)
            #expect(try list.storeKey(permission, handle: item.hex("handle")) == item.hex("store_key"))
            let verdict = Result {
                try list.verify(
                    StoreProof(item.hex("proof_ops")), permission, handle: item.hex("handle"), appHash: root)
            }
            // The case that is left open (unknown fields) is refused here.
            if item["granted"] as? Bool == true {
                try verdict.get()
                granted += 1
            } else {
                #expect(throws: ProofError.self, "\(item["name"] ?? "")") { try verdict.get() }
            }
        }
        #expect(granted == 3)
    }

    @Test func proofsOfAChainAreJudgedAsAnotherProgramDid() throws {
        let file = try VectorFile.read("chain-proofs.json")
        let list = try namespaced(file.object("acl").hex("contract"))
        var verdicts: [String: Int] = [:]
        for item in try file.objects("proofs") {
            let accepted =
                (try? list.verify(
                    StoreProof(item.base64("proof_ops_base64")), permission(item), handle: item.hex("handle"),
                    appHash: item.hex("app_hash"))) != nil
            let expected = try item.text("expect")
            // The root of another height is given with the case "wrong height"; only the caller can know the height.
            if try item.text("name") != "wrong height" { #expect(accepted == (expected == "accept"), "\(item)") }
            verdicts[expected, default: 0] += 1
        }
        #expect(verdicts == ["accept": 3, "reject": 6])
    }

    @Test func slotsAreThoseOfTheContracts() throws {
        let contract = [UInt8](repeating: 0x11, count: 20)
        for item in try VectorFile.read("acl_slots.json").objects("cases") {
            let offset = UInt8(item.number("offset"))
            let location =
                try item.text("storage_location") == "0x0" ? [UInt8](repeating: 0, count: 32) : AccessList.namespace
            let list = try AccessList(
                contract: contract, base: location, decryptOffset: offset, reencryptOffset: offset)
            let permission: AccessList.Permission =
                item["account"] == nil ? .decrypt : .reencrypt(account: try item.hex("account"))
            #expect(try list.slot(permission, handle: item.hex("handle")) == item.hex("slot"))
        }
        #expect(throws: ProofError.self) {
            try AccessList(contract: [1], base: AccessList.namespace, decryptOffset: 1, reencryptOffset: 0)
        }
        let early = try AccessList(
            contract: contract, base: [UInt8](repeating: 0, count: 32), decryptOffset: 0, reencryptOffset: nil)
        #expect(throws: ProofError.self) { try early.slot(.reencrypt(account: contract), handle: AccessList.namespace) }
    }

    func namespaced(_ contract: [UInt8]) throws -> AccessList {
        try AccessList(contract: contract, base: AccessList.namespace, decryptOffset: 1, reencryptOffset: 0)
    }

    func permission(_ item: VectorFile.Object) throws -> AccessList.Permission {
        try item.text("permission") == "decrypt" ? .decrypt : .reencrypt(account: item.hex("account"))
    }
}
