"""BLS over TPM_ECC_BN_P256 by another hand: plain integers, affine formulas, the Tate pairing in one flat extension.

For checking only; nothing here is constant time. Text is hex: secret keys 32 bytes big-endian, signatures 33 bytes, public
keys 65. The curve is y² = x³ + 3 over Fp, its twist y² = x³ + 3 + 3i over Fp[i]/(i² + 1).

`python3 bnp256.py` prints the vectors of Tests/PairingTests/Vectors/bls-bnp256.json.
"""
import hashlib
import json
import secrets

U = -0x6882F5C030B0A801
P = 36 * U**4 + 36 * U**3 + 24 * U**2 + 6 * U + 1
R = 36 * U**4 + 36 * U**3 + 18 * U**2 + 6 * U + 1
BASIC_TAG = b"BLS_SIG_BNP256G1_XMD:SHA-256_SVDW_RO_NUL_"


class InvalidEncoding(ValueError):
    """Not the encoding of a key or a signature that may be used."""


class F2:
    """a + bi; elements of Fp have b = 0."""

    def __init__(self, a, b=0):
        self.a, self.b = a % P, b % P

    def __eq__(self, o):
        return (self.a, self.b) == (o.a, o.b)

    def __hash__(self):
        return hash((self.a, self.b))

    def __add__(self, o):
        return F2(self.a + o.a, self.b + o.b)

    def __sub__(self, o):
        return F2(self.a - o.a, self.b - o.b)

    def __neg__(self):
        return F2(-self.a, -self.b)

    def __mul__(self, o):
        return F2(self.a * o.a - self.b * o.b, self.a * o.b + self.b * o.a)

    def __truediv__(self, o):
        n = pow(o.a * o.a + o.b * o.b, -1, P)
        return self * F2(o.a * n, -o.b * n)

    def sign(self):
        """sgn0 of RFC 9380."""
        return self.b % 2 if self.a == 0 else self.a % 2

    def root(self):
        """A square root, or None."""
        if self.b == 0:
            for value, place in ((self.a, 0), (-self.a, 1)):
                root = root_mod_p(value)
                if root is not None:
                    return F2(0, root) if place else F2(root)
        norm = root_mod_p(self.a * self.a + self.b * self.b)
        if norm is None:
            return None
        for sign in (norm, -norm):
            real = root_mod_p((self.a + sign) * pow(2, -1, P))
            if real:
                return F2(real, self.b * pow(2 * real, -1, P))
        return None


def root_mod_p(a):
    """p is 3 modulo 4."""
    root = pow(a, (P + 1) // 4, P)
    return root if root * root % P == a % P else None


# Points: pairs of F2, None for infinity.

B1, B2 = F2(3), F2(3, 3)
G = (F2(1), F2(2))
Q = (
    F2(
        0xFE0C3350B4C96C2028560F577C28913ACE1C539A12BF843CD22616B689C09EFB,
        0x4EA66057738AC054DB5AE1C637D813B924DD78E287D03589D269ED34A37E6A2B,
    ),
    F2(
        0x702046E7C542A3B376770D75124E3E51EFCB24758D615848E909B481BEDC27FF,
        0x0554E3BCD388C29042EEA649297EB29F8B4CBE80821A98B3E01281114AAD049B,
    ),
)


def slope(p, q):
    if p == q:
        return F2(3) * p[0] * p[0] / (p[1] + p[1])
    return (q[1] - p[1]) / (q[0] - p[0])


def add(p, q):
    if p is None or q is None:
        return q if p is None else p
    if p[0] == q[0] and p[1] != q[1]:
        return None
    s = slope(p, q)
    x = s * s - p[0] - q[0]
    return x, s * (p[0] - x) - p[1]


def negate(p):
    return None if p is None else (p[0], -p[1])


def multiply(k, p):
    result = None
    for bit in bin(k)[2:]:
        result = add(result, result)
        if bit == "1":
            result = add(result, p)
    return result


# Fp12 = Fp[w]/(w¹² - 2w⁶ + 2): w⁶ = 1 + i.


def f12_mul(x, y):
    product = [0] * 23
    for i, a in enumerate(x):
        if a:
            for j, b in enumerate(y):
                product[i + j] += a * b
    for k in range(22, 11, -1):
        product[k - 6] += 2 * product[k]
        product[k - 12] -= 2 * product[k]
    return [c % P for c in product[:12]]


def f12_pow(x, exponent):
    result = ONE
    for bit in bin(exponent)[2:]:
        result = f12_mul(result, result)
        if bit == "1":
            result = f12_mul(result, x)
    return result


ONE = [1] + [0] * 11


def embed(x, power):
    """x · w^power, for 0 <= power <= 5: i = w⁶ - 1."""
    result = [0] * 12
    result[power], result[power + 6] = (x.a - x.b) % P, x.b
    return result


def untwist(q):
    """(x/w², y/w³) on y² = x³ + 3: 1/w² = w⁴/(1 + i)."""
    xi = F2(1, 1)
    return embed(q[0] / xi, 4), embed(q[1] / xi, 3)


def tate(p, q):
    """The Miller function of r and p at q, without the vertical lines, which the final power removes."""
    x, y = untwist(q)
    f, t = ONE, p

    def line(other):
        s = slope(t, other).a
        value = [(b - s * a) % P for a, b in zip(x, y)]
        value[0] = (value[0] + s * t[0].a - t[1].a) % P
        return value

    for bit in bin(R)[3:]:
        f = f12_mul(f12_mul(f, f), line(t))
        t = add(t, t)
        if bit == "1":
            if t != negate(p):
                f = f12_mul(f, line(p))
            t = add(t, p)
    assert t is None
    return f


def pairing_product(pairs):
    """The product of e(p, q) over pairs of points, none at infinity, by the definition."""
    f = ONE
    for p, q in pairs:
        f = f12_mul(f, tate(p, q))
    return f12_pow(f, (P**12 - 1) // R)


# Text.


def _coordinates(text, count):
    try:
        raw = bytes.fromhex(text)
    except (TypeError, ValueError) as error:
        raise InvalidEncoding(str(error)) from None
    if len(raw) != 1 + 32 * count or len(text) != 2 * len(raw) or raw[0] not in (2, 3):
        raise InvalidEncoding(f"02 or 03 and {32 * count} bytes are needed")
    values = [int.from_bytes(raw[i : i + 32], "big") for i in range(1, len(raw), 32)]
    if any(value >= P for value in values):
        raise InvalidEncoding("a coordinate is not below p")
    return raw[0] & 1, values


def _point(odd, x, b):
    y = (x * x * x + b).root()
    if y is None or (b == B1 and y.b):
        raise InvalidEncoding("no point of the curve")
    return x, y if y.sign() == odd else -y


def g1_from_text(text):
    odd, (x,) = _coordinates(text, 1)
    return _point(odd, F2(x), B1)


def g1_to_text(p):
    return bytes([2 | p[1].sign()]).hex() + p[0].a.to_bytes(32, "big").hex()


def g2_from_text(text):
    odd, (imaginary, real) = _coordinates(text, 2)
    point = _point(odd, F2(real, imaginary), B2)
    if multiply(R, point) is not None:
        raise InvalidEncoding("outside the subgroup of order r")
    return point


def g2_to_text(p):
    return bytes([2 | p[1].sign()]).hex() + (p[0].b.to_bytes(32, "big") + p[0].a.to_bytes(32, "big")).hex()


def secret_from_text(text):
    value = int.from_bytes(bytes.fromhex(text), "big")
    if len(text) != 64 or not 0 < value < R:
        raise InvalidEncoding("a secret key is in 1 ... r - 1")
    return value


def secret_to_text(secret):
    return (secret % R).to_bytes(32, "big").hex()


# Hashing to G1: RFC 9380, expand_message_xmd with SHA-256 and the Shallue-van de Woestijne map, Z = 1.


def expand_message_xmd(message, tag, count):
    tag = tag + bytes([len(tag)])
    block = hashlib.sha256(bytes(64) + message + count.to_bytes(2, "big") + b"\0" + tag).digest()
    previous, output = bytes(32), b""
    for index in range(1, (count + 31) // 32 + 1):
        mixed = bytes(a ^ b for a, b in zip(block, previous))
        previous = hashlib.sha256(mixed + bytes([index]) + tag).digest()
        output += previous
    return output[:count]


def find_z():
    """find_z_svdw of RFC 9380 appendix H.1."""
    g, square = (lambda x: (x**3 + 3) % P), (lambda x: pow(x, (P - 1) // 2, P) in (0, 1))
    for size in range(1, 100):
        for z in (size, -size):
            if g(z) == 0:
                continue
            h = -3 * z * z * pow(4 * g(z), -1, P) % P
            if h and square(h) and (square(g(z)) or square(g(-z * pow(2, -1, P) % P))):
                return z
    raise AssertionError("some small Z does")


def map_to_g1(u, z=1):
    g = lambda x: (x**3 + 3) % P
    root = root_mod_p(-g(z) * 3 * z * z)
    root = root if root % 2 == 0 else P - root
    t1 = u * u * g(z) % P
    t2, t1 = (1 + t1) % P, (1 - t1) % P
    t3 = pow(t1 * t2, P - 2, P)
    t4 = u * t1 * t3 * root % P
    half = -z * pow(2, -1, P)
    x3 = (-4 * g(z) * pow(3 * z * z, -1, P) * pow(t2 * t2 * t3, 2, P) + z) % P
    for x in ((half - t4) % P, (half + t4) % P, x3):
        y = root_mod_p(g(x))
        if y is not None:
            return F2(x), F2(y if y % 2 == u % 2 else -y)
    raise AssertionError("one of three candidates is on the curve")


def hash_to_g1(message, tag=BASIC_TAG):
    uniform = expand_message_xmd(message, tag, 96)
    u = [int.from_bytes(part, "big") % P for part in (uniform[:48], uniform[48:])]
    return add(map_to_g1(u[0]), map_to_g1(u[1]))


# Keys and signatures.


def random_secret():
    return secrets.randbelow(R - 1) + 1


def public_key(secret):
    return g2_to_text(multiply(secret, Q))


def client_id(public):
    return hashlib.sha3_256(bytes.fromhex(public)).hexdigest()


def sign(secret, message, tag=BASIC_TAG):
    return g1_to_text(multiply(secret, hash_to_g1(message, tag)))


def verify(public, message, signature, tag=BASIC_TAG):
    """Whether e(S, Q) = e(H(m), pk); False for what does not decode."""
    try:
        s, key = g1_from_text(signature), g2_from_text(public)
    except InvalidEncoding:
        return False
    return pairing_product([(negate(s), Q), (hash_to_g1(message, tag), key)]) == ONE


def add_signatures(*signatures):
    total = None
    for signature in signatures:
        total = add(total, g1_from_text(signature))
    return g1_to_text(total)


def add_public_keys(*keys):
    total = None
    for key in keys:
        total = add(total, g2_from_text(key))
    return g2_to_text(total)


def split_message(purpose, payload):
    """What a split key's signature is over."""
    return b"kms-split/v1/" + purpose.encode() + b"\0" + payload


def vectors():
    """Fixed inputs: the secrets are hashes of their numbers."""
    items = []
    for index in range(6):
        secret = int.from_bytes(hashlib.sha512(b"bnp256 vector %d" % index).digest(), "big") % R
        secret = {4: 1, 5: R - 1}.get(index, secret)
        message = hashlib.sha256(b"message %d" % index).digest()[: 8 * index]
        point = hash_to_g1(message)
        items.append(
            {
                "type": "sign", "id": f"sign-{index}", "secret_key": secret_to_text(secret), "message": message.hex(),
                "hashed": g1_to_text(point), "public_key": public_key(secret), "signature": sign(secret, message),
            }
        )
    return {
        "provenance": "Tests/acceptance/support/bnp256.py: plain integers and the Tate pairing, independent of the Swift code",
        "dst": BASIC_TAG.decode(),
        "vectors": items,
    }


if __name__ == "__main__":
    print(json.dumps(vectors(), indent=1))
