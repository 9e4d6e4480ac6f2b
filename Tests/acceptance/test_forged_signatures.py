"""`verify` over HTTP and signatures near a good one: the families of Project Wycheproof, computed for keys made here."""
import crypto
import pytest
from cryptography.hazmat.primitives.asymmetric import utils
from webkms_client import KMSError

ORDERS = {
    "P256": 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551,
    "P384": int("ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973", 16),
    "P521": int("1fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
                "a51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409", 16),
    "Secp256k1": 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141,
}
L = 2**252 + 27742317777372353535851937790883648493


def element(tag, content, length=None):
    size = len(content)
    if length is None:
        length = bytes([size]) if size < 128 else bytes([0x81, size])
    return bytes([tag]) + length + content


def integer(number):
    """A DER integer, negative ones too."""
    return element(2, number.to_bytes(number.bit_length() // 8 + 1, "big", signed=True))


def pairs(r, s, n):
    """Numbers that are no signature."""
    moved = [(r + n, s), (r, s + n), (r - n, s), (r, s - n), (r + 256 * n, s), (-r, s), (r, -s), (n - r, s), (s, r)]
    edges = [(a, b) for a in (0, 1, n - 1, n, n + 1, 2 * n) for b in (0, 1, n, n + 1)]
    return moved + edges + [(0, s), (r, 0), (n, s), (r, n), (1, s), (r, 1), (r + 1, s), (r, s + 1), (r ^ 1 << 200, s)]


def der_forms(r, s):
    """The right numbers in other forms than the one of DER."""
    a, b = integer(r), integer(s)
    body, whole = a + b, element(0x30, a + b)
    size = len(body)
    yield from (whole + b"\0", whole + b"\5\0", b"\0" + whole, whole[:-1], whole[1:], whole * 2, b"", b"\x30\0", body)
    for length in (b"\x81" + bytes([size]), b"\x82\0" + bytes([size]), b"\x84\0\0\0" + bytes([size]), bytes([size + 1]),
                   bytes([size - 1]), b"\x80", b"\xff", b"\x81\xff", b"\x84\xff\xff\xff\xff", b"\x88" + b"\xff" * 8):
        # On P-521 the first of these is the right one.
        if element(0x30, body, length) != whole:
            yield element(0x30, body, length)
    yield element(0x30, body, b"\x80") + b"\0\0"
    for tag in (0x31, 0x10, 0x3F, 0xB0, 0x70, 0x04):
        yield element(tag, body)
    for tag in (0x03, 0x82, 0x22, 0x0A, 0x04):
        yield element(0x30, bytes([tag]) + a[1:] + b)
        yield element(0x30, a + bytes([tag]) + b[1:])
    for padded in (element(2, b"\0" + a[2:]) + b, a + element(2, b"\0" + b[2:]), element(2, b"") + b, a + element(2, b""),
                   a, b, a + b + a, a + b"\5\0" + b, b"\5\0" + a + b, element(2, a[2:], b"\x81" + a[1:2]) + b,
                   element(0x30, a) + b, a + element(0x30, b)):
        yield element(0x30, padded)


def ecdsa(key_type, signature):
    n = next(order for name, order in ORDERS.items() if name in key_type)
    size = crypto.curve_of(key_type)[3]
    if key_type.endswith("DER"):
        r, s = utils.decode_dss_signature(signature)
        forged = [element(0x30, integer(a) + integer(b)) for a, b in pairs(r, s, n)] + list(der_forms(r, s))
        forged.append(r.to_bytes(size, "big") + s.to_bytes(size, "big"))
        return forged
    head, body = signature[:-2 * size], signature[-2 * size:]
    r, s = int.from_bytes(body[:size], "big"), int.from_bytes(body[size:], "big")
    forged = [a.to_bytes(size, "big") + b.to_bytes(size, "big") for a, b in pairs(r, s, n)
              if 0 <= a < 1 << 8 * size and 0 <= b < 1 << 8 * size]
    forged += [a.to_bytes(size + 1, "big") + b.to_bytes(size + 1, "big") for a, b in ((r, s), (r + n, s), (r, s + n))]
    forged += [body[:-1], body[1:], body + b"\0", b"\0" + body, body[:size], body * 2, b"", b"\0" + body[:-1],
               utils.encode_dss_signature(r, s), body[::-1]]
    forged += [head + each for each in forged] if head else []
    return forged + ([head, head * 2 + body, bytes([head[0] ^ 1]) + head[1:] + body] if head else [])


def ed25519(signature):
    point, scalar = signature[:32], int.from_bytes(signature[32:], "little")
    forged = [point + (scalar + times * L).to_bytes(32, "little") for times in range(1, 16)
              if scalar + times * L < 1 << 256]
    small = [bytes(32), b"\1" + bytes(31), b"\1" + bytes(30) + b"\x80", b"\xec" + b"\xff" * 30 + b"\x7f",
             b"\xed" + b"\xff" * 30 + b"\x7f", b"\xee" + b"\xff" * 30 + b"\x7f", b"\xff" * 32, bytes(31) + b"\x80"]
    scalars = [bytes(32), L.to_bytes(32, "little"), (L - 1).to_bytes(32, "little"), signature[32:], b"\xff" * 32]
    forged += [a + b for a in small for b in scalars] + [point + b for b in scalars if b != signature[32:]]
    forged += [signature[:-1], signature[1:], signature + b"\0", b"\0" + signature, point, b"", signature * 2,
               signature[32:] + point, point[::-1] + signature[32:]]
    for bit in (0, 7, 100, 255, 256, 380, 503, 508, 511):
        forged.append((int.from_bytes(signature, "little") ^ 1 << bit).to_bytes(64, "little"))
    return forged


TYPES = ["ED25519", "ECDSAP256DER", "ECDSAP384DER", "ECDSAP521DER", "ECDSAP256IEEEP1363", "ECDSAP384IEEEP1363",
         "ECDSAP521IEEEP1363", "ECDSASecp256k1IEEEP1363"]


@pytest.mark.parametrize("key_type", TYPES)
def test_no_forged_signature_verifies(keystore, key_type):
    key, message = keystore.create(key_type), b"a message"
    good = key.sign(message)
    key.verify(good, message)
    forged = {bytes(each) for each in (ed25519(good) if key_type == "ED25519" else ecdsa(key_type, good))}
    assert len(forged) > 40 and good not in forged
    for signature in forged:
        with pytest.raises(KMSError) as refusal:
            key.verify(signature, message)
        assert refusal.value.status == 400, signature.hex()
    key.verify(good, message)
