import LibCrypto

@testable import InclusionProofs
@testable import LightClient

extension FuzzTarget {
    /// What chains say: nodes' replies, stored headers, proofs.
    static let chains = [
        FuzzTarget("node-commit", longest: 4096) { bytes throws(FuzzFinding) in
            guard let block = parsed({ try NodeReply.commit(bytes) }) else { return }
            try claim(
                (1...ChainLimits.validators).contains(block.commit.signatures.count), "a commit beyond its bounds")
            try claim(block.header.appHash.count <= ChainLimits.appHashLength, "a hash beyond its bounds")
            for index in block.commit.signatures.indices {
                try claim(!block.commit.signBytes(index, chainID: block.header.chainID).isEmpty, "nothing to sign")
            }
            let hash = try accepted("hashing a header") { try block.header.hash() }
            try claim(hash.count == 32, "a header's hash of another length")
            guard let strangers, let rules = parsed({ try TrustRules(chainID: block.header.chainID) }) else { return }
            // Nobody has the key of this validator.
            try claim(
                parsed { try HeaderRules(rules).checkAlone(block, validators: strangers) } == nil,
                "a header is trusted that its validators have not signed")
        },
        FuzzTarget("node-validators", longest: 4096) { bytes throws(FuzzFinding) in
            guard let page = parsed({ try NodeReply.validators(bytes) }) else { return }
            try claim(page.validators.count <= ChainLimits.pageLength, "a page beyond its bounds")
            try claim((1...ChainLimits.validators).contains(page.total), "a total beyond its bounds")
            var pages = ValidatorPages(height: page.height)
            guard parsed({ try pages.add(page) }) != nil, pages.nextPage == nil, let set = parsed({ try pages.set() })
            else { return }
            try claim(set.validators.count == page.total, "a set is not the whole of it")
            try claim((1...ChainLimits.totalPower).contains(set.totalPower), "a power beyond its bounds")
            let turned = try accepted("the same set in another order") { try ValidatorSet(page.validators.reversed()) }
            try claim(turned == set, "the order of a reply decides")
        },
        FuzzTarget("node-status", longest: 2048) { bytes throws(FuzzFinding) in
            guard let status = parsed({ try NodeReply.status(bytes) }) else { return }
            try claim(status.latestHeight >= 0 && status.latestHash.count <= 32, "a status beyond its bounds")
            try claim(status.network.utf8.count <= ChainLimits.chainIDLength, "a name beyond its bounds")
        },
        FuzzTarget("chain-time", longest: 32) { bytes throws(FuzzFinding) in
            guard let time = ChainTime(rfc3339: bytes) else { return }
            try claim(ChainTime(seconds: time.seconds, nanoseconds: time.nanoseconds) == time, "a time out of range")
            try claim(time.advanced(bySeconds: 1) >= time && time.advanced(bySeconds: -1) <= time, "time goes back")
            guard bytes.count > 20, bytes.count < 30 else { return }
            let longer = bytes.dropLast() + [UInt8(ascii: "0"), UInt8(ascii: "Z")]
            try claim(ChainTime(rfc3339: longer) == time, "a nought at the end of a fraction makes another time")
        },
        // The hash that ends a stored state is added here: it would keep everything out.
        FuzzTarget("trusted-state", longest: 4096) { bytes throws(FuzzFinding) in
            let sealed = bytes + (try accepted("a hash") { try Digest.sha256(bytes) })
            guard let state = parsed({ try KeptState(decoding: sealed) }) else { return }
            let again = try accepted("writing a state") { try state.encoded() }
            try claim(again == sealed, "a state has a second spelling")
            try claim(parsed { try KeptState(decoding: bytes) } == nil, "a state is read without its hash")
            let isPlain = bytes.starts(with: Array("kmsd-light-1".utf8))
            try claim(!isPlain || (state.conflict == nil && state.ruling == nil), "a conflict from nowhere")
        },
        FuzzTarget("commitment-proof", longest: 4096) { bytes throws(FuzzFinding) in
            guard let proof = parsed({ try ExistenceProof(commitment: bytes[...]) }) else { return }
            try claim(proof.path.count <= ExistenceProof.maximumDepth, "a path beyond its bounds")
            for spec in [ProofSpec.iavl, .tendermint] where parsed({ try spec.check(proof) }) != nil {
                guard let root = parsed({ try proof.root() }) else { continue }
                try claim(root.count == 32, "a root of another length")
                var others = [proof, proof]
                others[0].value.append(0)
                others[1].key.append(0)
                if !proof.path.isEmpty {
                    others.append(proof)
                    others[2].path.removeLast()
                }
                for other in others {
                    try claim(parsed { try other.root() } != root, "another key, value or path has the same root")
                }
            }
        },
        // Against the root of a chain where one ciphertext is marked: every other handle must be refused.
        FuzzTarget("store-proof", longest: 4096) { bytes throws(FuzzFinding) in
            guard let proof = parsed({ try StoreProof(bytes) }), let accessList else { return }
            for permission in [AccessList.Permission.decrypt, .reencrypt(account: accessList.contract)] {
                let handle = [UInt8](repeating: 7, count: 32)
                try claim(
                    parsed { try accessList.verify(proof, permission, handle: handle, appHash: root) } == nil,
                    "a permission is proven that nobody gave")
            }
        },
    ]

    private static let strangers: ValidatorSet? = parsed {
        let key = try Digest.sha256(Array("a key that nobody has".utf8))
        return try ValidatorSet([Validator(publicKey: key, power: 1)])
    }

    /// Contract and root of `Tests/InclusionProofsTests/Vectors/chain-proofs.json`.
    private static let accessList = parsed {
        try AccessList(
            contract: [
                0x83, 0x19, 0x42, 0x54, 0x20, 0x1c, 0xff, 0x69, 0xc7, 0xc6, 0x4f, 0xce, 0x73, 0x25, 0xfc, 0x73, 0x15,
                0x4b, 0xd0, 0x31,
            ], base: AccessList.namespace, decryptOffset: 1, reencryptOffset: 0)
    }
    private static let root: [UInt8] = [
        0x65, 0x7c, 0x8c, 0xee, 0x6a, 0x7e, 0x6b, 0xa2, 0x94, 0xe4, 0xe6, 0xca, 0xac, 0x89, 0xf4, 0xd6,
        0x1b, 0x13, 0x86, 0xfc, 0x00, 0xdb, 0x29, 0xc0, 0x52, 0xa4, 0x6a, 0x3a, 0x18, 0x96, 0x62, 0x2e,
    ]
}
