@testable import InclusionProofs

extension FuzzTarget {
    /// Proofs of Ethereum's tries, and the messages around proofs: nothing is granted by a root that nobody made.
    static let proofs = [
        FuzzTarget("rlp", longest: 2048) { bytes throws(FuzzFinding) in
            guard let item = parsed({ try RLP(bytes[...]) }) else { return }
            try claim(written(item) == bytes, "an RLP item has a second spelling")
        },
        FuzzTarget("account-proof", longest: 8192) { bytes throws(FuzzFinding) in
            guard let proof = parsed({ try AccountProof(bytes) }) else { return }
            let (contract, slot) = ([UInt8](repeating: 7, count: 20), [UInt8](repeating: 7, count: 32))
            for root in [[UInt8](repeating: 0, count: 32), Keccak256.hash([0x80])] {
                try claim(
                    parsed {
                        try proof.verify(contract: contract, slot: slot, value: AccessList.granted, root: root)
                    } == nil, "a slot is proven below a root of nothing")
            }
        },
        // The first byte chooses the form.
        FuzzTarget("permission-proof", longest: 8192) { bytes throws(FuzzFinding) in
            guard let first = bytes.first else { return }
            let form = ProofForm.allCases[Int(first) % ProofForm.allCases.count]
            guard let proof = parsed({ try PermissionProof(Array(bytes.dropFirst()), form) }),
                let list = parsed({
                    try AccessList(
                        contract: [UInt8](repeating: 7, count: 20), base: AccessList.namespace, decryptOffset: 1,
                        reencryptOffset: 0)
                })
            else { return }
            let (handle, root) = ([UInt8](repeating: 7, count: 32), [UInt8](repeating: 9, count: 32))
            for permission in [AccessList.Permission.decrypt, .reencrypt(account: list.contract)] {
                try claim(
                    parsed { try proof.verify(list, permission, handle: handle, height: 9, appHash: root) } == nil,
                    "a permission is proven that nobody gave")
            }
        },
    ]

    private static func written(_ item: RLP) -> [UInt8] {
        switch item {
        case .bytes(let bytes):
            bytes.count == 1 && bytes[bytes.startIndex] < 0x80 ? Array(bytes) : head(0x80, bytes.count) + bytes
        case .list(let items, _):
            { body in head(0xC0, body.count) + body }(items.flatMap { written($0) })
        }
    }

    private static func head(_ base: UInt8, _ count: Int) -> [UInt8] {
        guard count >= 56 else { return [base + UInt8(count)] }
        let digits = withUnsafeBytes(of: UInt64(count).bigEndian) { Array($0.drop { $0 == 0 }) }
        return [base + 55 + UInt8(digits.count)] + digits
    }
}
