"""A verifier of attestations written from docs/FORMATS.md and the TPM 2.0 Library alone, on `cryptography`."""
import hashlib
import json
import struct

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

FIXED_TPM, FIXED_PARENT, ORIGIN, RESTRICTED = 1 << 1, 1 << 4, 1 << 5, 1 << 16
CURVES = {3: ec.SECP256R1(), 4: ec.SECP384R1(), 5: ec.SECP521R1()}


class Refused(Exception):
    """An attestation that does not hold."""


def require(condition, why):
    if not condition:
        raise Refused(why)


def fields(*parts):
    return b"".join(struct.pack(">I", len(part)) + part for part in parts)


def canonical(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def name(area):
    """Name algorithm and hash: of a public area, or of what stands above."""
    return b"\x00\x0b" + hashlib.sha256(area).digest()


def check_ecdsa(public_key, r, s, message):
    signature = encode_dss_signature(int.from_bytes(r, "big"), int.from_bytes(s, "big"))
    try:
        public_key.verify(signature, message, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        raise Refused("a signature does not hold") from None


class Reader:
    def __init__(self, data):
        self.data = data

    def take(self, count):
        require(len(self.data) >= count, "a structure ends too early")
        part, self.data = self.data[:count], self.data[count:]
        return part

    def number(self, count):
        return int.from_bytes(self.take(count), "big")

    def sized(self):
        return self.take(self.number(2))

    def end(self):
        require(not self.data, "something follows a structure")


class Public:
    """TPMT_PUBLIC of an elliptic curve key or an HMAC key."""

    def __init__(self, area):
        reader = Reader(area)
        self.name = name(area)
        self.type, name_hash = reader.number(2), reader.number(2)
        require(name_hash == 0x0B, "a name is not by SHA-256")
        self.attributes = reader.number(4)
        reader.sized()
        self.key = None
        if self.type == 0x23:
            require(reader.number(2) == 0x10, "a leaf key has a symmetric algorithm")
            if reader.number(2) != 0x10:
                require(reader.number(2) == 0x0B, "a scheme is not by SHA-256")
            curve = CURVES[reader.number(2)]
            require(reader.number(2) == 0x10, "a key has a key derivation")
            x, y = (int.from_bytes(reader.sized(), "big") for _ in range(2))
            self.key = ec.EllipticCurvePublicNumbers(x, y, curve).public_key()
        else:
            require(self.type == 0x08 and reader.take(4) == b"\x00\x05\x00\x0b", "no HMAC key")
            reader.sized()
        reader.end()


def check_tpm(statement, evidence):
    """TPM2_Certify: who signed, under which nonce, about which key."""
    parts = {part: bytes.fromhex(value) for part, value in evidence.items()}
    key, signer = Public(parts["public"]), Public(parts["attestation_key"])
    for bit in (FIXED_TPM, FIXED_PARENT, ORIGIN, RESTRICTED):
        require(signer.attributes & bit, "the attestation key may sign anything, or move")
    reader = Reader(parts["signature"])
    require(reader.take(4) == b"\x00\x18\x00\x0b", "not ECDSA with SHA-256")
    r, s = reader.sized(), reader.sized()
    reader.end()
    check_ecdsa(signer.key, r, s, parts["attest"])
    reader = Reader(parts["attest"])
    require(reader.take(6) == b"\xffTCG\x80\x17", "no certification by a TPM")
    qualified_signer, extra = reader.sized(), reader.sized()
    reader.take(8 + 4 + 4 + 1 + 8)
    certified, qualified = reader.sized(), reader.sized()
    reader.end()
    nonce = bytes.fromhex(statement["nonce"])
    require(extra == (nonce if len(nonce) <= 32 else hashlib.sha256(nonce).digest()), "another nonce")
    require(certified == key.name, "another key is certified")
    storage = name(b"\x40\x00\x00\x01" + bytes.fromhex(statement["token"]["serial"]))
    require(qualified == name(storage + key.name), "the key is not below the TPM's storage key")
    require(qualified_signer == name(storage + signer.name), "the attestation key is not below the same storage key")
    require(key.attributes & FIXED_TPM and key.attributes & FIXED_PARENT, "the key can leave the TPM")
    require(key.attributes & ORIGIN or statement["provenance"] != "born-in-token", "the key came from outside")
    if key.key is None:
        require("public_key" not in statement, "a symmetric key has no public half")
        return
    shown = bytes.fromhex(statement["public_key"])
    if shown[0] == 4:
        loaded = key.key.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
    else:
        loaded = key.key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    require(loaded == shown, "the certified key is not the one of the statement")


def verify(text, nonce, audit_key):
    """The statement of an attestation that holds; `audit_key` in PEM."""
    document = json.loads(text)
    require(canonical(document) == text.encode().removesuffix(b"\n"), "not in the one form")
    require(set(document) == {"statement", "signature"}, "unknown members")
    statement = document["statement"]
    known = serialization.load_pem_public_key(audit_key.encode())
    named = serialization.load_der_public_key(bytes.fromhex(statement["audit_key"]))
    require(known.public_numbers() == named.public_numbers(), "another audit key")
    signature = bytes.fromhex(document["signature"])
    require(len(signature) == 64, "no signature")
    check_ecdsa(known, signature[:32], signature[32:], fields(b"kmsd/attestation/v1", canonical(statement)))
    require(statement["nonce"] == nonce.hex(), "another nonce")
    if "public_key" in statement:
        digest = hashlib.sha256(bytes.fromhex(statement["public_key"])).hexdigest()
        require(statement["fingerprint"] == digest, "another fingerprint")
    if "tpm" in statement["evidence"]:
        check_tpm(statement, statement["evidence"]["tpm"])
    return statement
