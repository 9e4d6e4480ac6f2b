#!/usr/bin/env bash
# blspy 2.0.3 and chia-rs 0.53.0 make another BLS secret key of a seed than py-ecc 8.0.0, and other children of a key.
#
# Expected: KeyGen of draft-irtf-cfrg-bls-signature is one function, and EIP-2333, built on it, too: blspy's functions
# have their names, and all else of the three agrees: public keys, signatures of every scheme, proofs of possession.
#
# Seen 2026-11-30, blspy 2.0.3, chia-rs 0.53.0, py-ecc 8.0.0 (PyPI): Chia's two hash the seed with the salt
# BLS-SIG-KEYGEN-SALT- itself, as the first drafts did; py-ecc with its SHA-256, as draft 4 and all after it do. EIP-2333
# took the change over in September 2020: of its first vector Chia's libraries have neither the master key nor the child.
# A key restored from its seed by the other library is a good key, of somebody else.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check blspy==2.0.3 chia-rs==0.53.0 py-ecc==8.0.0
venv/bin/python - <<'PYTHON'
import hashlib, hmac
import blspy, chia_rs
from py_ecc.bls import G2Basic
from py_ecc.optimized_bls12_381 import curve_order


def keygen(seed, salt):
    key = hmac.digest(salt, seed + b"\0", "sha256")
    first = hmac.digest(key, b"\0\x30\x01", "sha256")
    output = first + hmac.digest(key, first + b"\0\x30\x02", "sha256")
    return int.from_bytes(output[:48], "big") % curve_order


def number(key):
    return int.from_bytes(bytes(key), "big")


seed, name = bytes(range(32)), b"BLS-SIG-KEYGEN-SALT-"
chia, rust = number(blspy.BasicSchemeMPL.key_gen(seed)), number(chia_rs.AugSchemeMPL.key_gen(seed))
other = G2Basic.KeyGen(seed)
print(f"blspy {chia:x}\nchia  {rust:x}\npyecc {other:x}")
assert chia == rust == keygen(seed, name)
assert other == keygen(seed, hashlib.sha256(name).digest()) != chia
# The scheme is otherwise the same one.
key = blspy.PrivateKey.from_bytes(other.to_bytes(32, "big"))
assert G2Basic.SkToPk(other) == bytes(key.get_g1())
assert G2Basic.Sign(other, b"message") == bytes(blspy.BasicSchemeMPL.sign(key, b"message"))
# The first vector of EIP-2333.
seed = bytes.fromhex(
    "c55257c360c07c72029aebc1b53c05ed0362ada38ead3e3e9efa3708e53495531f09a6987599d18264c1e1c92f2cf141630c7a3c4ab7c81b2f001698e7463b04")
master = 6083874454709270928345386274498605044986640685124978867557563392430687146096
child = 20397789859736650942317412262472558107875392172444076792671091975210932703118
assert G2Basic.KeyGen(seed) == master
ours = blspy.PrivateKey.from_bytes(master.to_bytes(32, "big"))
print("EIP-2333 master:", number(blspy.AugSchemeMPL.key_gen(seed)) == master, end=" ")
print("child of the right master:", number(blspy.AugSchemeMPL.derive_child_sk(ours, 0)) == child)
assert number(blspy.AugSchemeMPL.key_gen(seed)) != master
assert number(blspy.AugSchemeMPL.derive_child_sk(ours, 0)) != child
PYTHON
