"""BBS+ by another hand: ePrint 2016/663 section 4.3 over BLS12-381, the curve by py_ecc.

Written from the wire description. Points of G1 and G2 are py_ecc's projective triples.
"""
import hashlib
import secrets

from py_ecc.bls.point_compression import compress_G1, decompress_G1, decompress_G2
from py_ecc.optimized_bls12_381 import (
    FQ, FQ12, G1, G2, Z1, add, curve_order as R, eq, field_modulus as P, is_inf, iso_map_G1, multiply,
    multiply_clear_cofactor_G1, neg, normalize, optimized_swu_G1, pairing)

TAG = b"BLS12381G1_XMD:BLAKE2B_SSWU_RO_BBS+_SIGNATURES:1_0_0"


def hash_to_scalar(message):
    return int.from_bytes(hashlib.blake2b(message, digest_size=48).digest(), "big") % R


def expand(message, count):
    """expand_message_xmd with BLAKE2b-512."""
    def digest(data):
        return hashlib.blake2b(data).digest()

    tag = TAG + bytes([len(TAG)])
    first = digest(bytes(128) + message + count.to_bytes(2, "big") + b"\0" + tag)
    blocks = [digest(first + b"\1" + tag)]
    while 64 * len(blocks) < count:
        mixed = bytes(a ^ b for a, b in zip(first, blocks[-1]))
        blocks.append(digest(mixed + bytes([len(blocks) + 1]) + tag))
    return b"".join(blocks)[:count]


def map_to_curve(u):
    """Simplified SWU onto the isogenous curve, with the sign rule of draft 06: y and u in the same half of the field."""
    x, y, z = optimized_swu_G1(FQ(u))
    if ((y / z).n > (P - 1) // 2) != (u > (P - 1) // 2):
        y = -y
    return iso_map_G1(x, y, z)


def hash_to_point(message):
    wide = expand(message, 128)
    first, second = (int.from_bytes(wide[64 * i:64 * i + 64], "big") % P for i in range(2))
    return multiply_clear_cofactor_G1(add(map_to_curve(first), map_to_curve(second)))


def g1(data):
    assert len(data) == 48
    return decompress_G1(int.from_bytes(data, "big"))


def g2(data):
    assert len(data) == 96
    return decompress_G2((int.from_bytes(data[:48], "big"), int.from_bytes(data[48:], "big")))


def compressed(point):
    return compress_G1(point).to_bytes(48, "big")


def flat(point):
    return b"".join(c.n.to_bytes(48, "big") for c in normalize(point))


def flat2(point):
    return b"".join(c.to_bytes(48, "big") for part in normalize(point) for c in reversed(part.coeffs))


def total(terms):
    result = Z1
    for point, scalar in terms:
        result = add(result, multiply(point, scalar % R))
    return result


def product_is_one(*pairs):
    result = FQ12.one()
    for second, first in pairs:
        result *= pairing(second, first)
    return result == FQ12.one()


class Issuer:
    """A public key, and what everybody may compute with it."""

    def __init__(self, public_key):
        self.w = g2(public_key)

    def generators(self, count):
        inputs = (flat2(self.w) + b"\0" + i.to_bytes(4, "big") + b"\0" + count.to_bytes(4, "big")
                  for i in range(count + 1))
        h = [hash_to_point(data) for data in inputs]
        return h[0], h[1:]

    def verifies(self, signature, messages):
        assert len(signature) == 112
        a, e, s = g1(signature[:48]), *(int.from_bytes(signature[i:i + 32], "big") for i in (48, 80))
        h0, h = self.generators(len(messages))
        b = add(total([(h0, s), *zip(h, map(hash_to_scalar, messages))]), G1)
        return not is_inf(a) and product_is_one((add(self.w, multiply(G2, e)), a), (neg(G2), b))

    def prove(self, signature, messages, revealed, nonce):
        """A proof as bytes; `revealed` ascending."""
        a, e, s = g1(signature[:48]), *(int.from_bytes(signature[i:i + 32], "big") for i in (48, 80))
        scalars = list(map(hash_to_scalar, messages))
        h0, h = self.generators(len(messages))
        b = add(total([(h0, s), *zip(h, scalars)]), G1)
        r1, r2 = secrets.randbelow(R - 1) + 1, secrets.randbelow(R - 1) + 1
        r3 = pow(r1, -1, R)
        a_prime = multiply(a, r1)
        a_bar = add(multiply(b, r1), multiply(a_prime, R - e))
        d = add(multiply(b, r1), multiply(h0, R - r2))
        hidden = [i for i in range(len(messages)) if i not in revealed]
        first = Commitment([a_prime, h0], [-e, r2])
        second = Commitment([d, h0, *(h[i] for i in hidden)], [-r3, s - r2 * r3, *(scalars[i] for i in hidden)])
        c = challenge(a_bar, a_prime, h0, first.t, d, [h[i] for i in hidden], second.t, nonce)
        field = sum(1 << i for i in revealed).to_bytes(len(messages) // 8 + 1, "big")
        parts = first.answer(c), second.answer(c)
        return (len(messages).to_bytes(2, "big") + field + compressed(a_prime) + compressed(a_bar) + compressed(d)
                + len(parts[0]).to_bytes(4, "big") + parts[0] + parts[1])

    def accepts(self, proof, shown, nonce):
        count = int.from_bytes(proof[:2], "big")
        end = 2 + count // 8 + 1
        field = int.from_bytes(proof[2:end], "big")
        revealed = [i for i in range(count) if field >> i & 1]
        hidden = [i for i in range(count) if not field >> i & 1]
        assert len(revealed) == len(shown)
        a_prime, a_bar, d = (g1(proof[end + 48 * i:end + 48 * i + 48]) for i in range(3))
        length = int.from_bytes(proof[end + 144:end + 148], "big")
        first, second = proof[end + 148:end + 148 + length], proof[end + 148 + length:]
        h0, h = self.generators(count)
        t1, z1 = parse(first)
        t2, z2 = parse(second)
        assert len(z1) == 2 and len(z2) == 2 + len(hidden)
        c = challenge(a_bar, a_prime, h0, t1, d, [h[i] for i in hidden], t2, nonce)
        known = add(total([(h[i], hash_to_scalar(m)) for i, m in zip(revealed, shown)]), G1)
        return (not is_inf(a_prime)
                and eq(total([(a_prime, z1[0]), (h0, z1[1]), (add(a_bar, neg(d)), c)]), t1)
                and eq(total([(d, z2[0]), (h0, z2[1]), *((h[i], z) for i, z in zip(hidden, z2[2:])), (neg(known), c)]), t2)
                and product_is_one((self.w, a_prime), (neg(G2), a_bar)))


class Commitment:
    def __init__(self, bases, values):
        self.values, self.blinds = values, [secrets.randbelow(R) for _ in values]
        self.t = total(zip(bases, self.blinds))

    def answer(self, c):
        responses = [(blind - c * value) % R for blind, value in zip(self.blinds, self.values)]
        return (compressed(self.t) + len(responses).to_bytes(4, "big")
                + b"".join(z.to_bytes(32, "big") for z in responses))


def parse(data):
    count = int.from_bytes(data[48:52], "big")
    assert len(data) == 52 + 32 * count
    return g1(data[:48]), [int.from_bytes(data[52 + 32 * i:84 + 32 * i], "big") for i in range(count)]


def challenge(a_bar, a_prime, h0, t1, d, hidden, t2, nonce):
    points = [a_bar, a_prime, h0, t1, d, h0, *hidden, t2]
    return hash_to_scalar(b"".join(map(flat, points)) + hash_to_scalar(nonce).to_bytes(32, "big"))
