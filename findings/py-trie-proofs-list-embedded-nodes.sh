#!/usr/bin/env bash
# trie 4.0.0: proofs contain, as entries of their own, nodes that are already inside their parents.
#
# Expected: what eth_getProof of nodes returns: each node that is named by a hash, once; shorter ones only inside
# their parent.
#
# Seen 2026-11-29, trie 4.0.0 (PyPI): the last entry of this proof has 5 bytes and is part of the entry before it; the
# proof without it verifies as well. A verifier that refuses what it did not need refuses proofs of this library.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check trie==4.0.0 'eth-hash[pycryptodome]==0.8.0'
venv/bin/python - <<'PYTHON'
import rlp
from trie import HexaryTrie

tree = HexaryTrie({})
for number in range(20):
    tree[bytes([number])] = b"v%d" % number
key = bytes([3])
proof = tree.get_proof(key)
sizes = [len(rlp.encode(node)) for node in proof]
inside = rlp.encode(proof[-1]) in rlp.encode(proof[-2])
shorter = HexaryTrie.get_from_proof(tree.root_hash, key, proof[:-1])
print("sizes:", sizes, "last one inside its parent:", inside, "value without it:", shorter)
assert sizes[-1] < 32 and inside and shorter == tree[key]
PYTHON
