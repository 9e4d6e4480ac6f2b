"""BLS over CurveFp254BNb by another hand: plain integers, affine formulas, the plain ate pairing. For checking only.

Nothing here is constant time. Text is hex of the little-endian bytes that 0Chain's clients use: secret keys and
signatures 32 bytes, public keys 64. The curve is y² = x³ + 2 over Fp, its twist y² = x³ + 1 - i over Fp[i]/(i² + 1).
"""
import hashlib
import secrets
import unicodedata

U = -(2**62 + 2**55 + 1)
P = 36 * U**4 + 36 * U**3 + 24 * U**2 + 6 * U + 1
R = 36 * U**4 + 36 * U**3 + 18 * U**2 + 6 * U + 1
LOOP = 6 * U**2  # trace - 1
PASSPHRASE = "0chain-client-split-key"


class InvalidEncoding(ValueError):
    """Not the encoding of a key or a signature that may be used."""


# Fp2: pairs (a, b) for a + bi.


def f2_add(x, y):
    return (x[0] + y[0]) % P, (x[1] + y[1]) % P


def f2_sub(x, y):
    return (x[0] - y[0]) % P, (x[1] - y[1]) % P


def f2_mul(x, y):
    return (x[0] * y[0] - x[1] * y[1]) % P, (x[0] * y[1] + x[1] * y[0]) % P


def f2_scale(x, k):
    return x[0] * k % P, x[1] * k % P


def f2_inv(x):
    n = pow(x[0] * x[0] + x[1] * x[1], -1, P)
    return x[0] * n % P, -x[1] * n % P


def f2_pow(x, exponent):
    result = (1, 0)
    for bit in bin(exponent)[2:]:
        result = f2_mul(result, result)
        if bit == "1":
            result = f2_mul(result, x)
    return result


def fp_sqrt(a):
    """The root that is a square itself, or None; p is 3 modulo 4."""
    root = pow(a, (P + 1) // 4, P)
    return root if root * root % P == a % P else None


def f2_sqrt(x):
    c, d = x
    if d == 0:
        root = fp_sqrt(c)
        return (root, 0) if root is not None else (0, fp_sqrt(-c % P))
    norm = fp_sqrt(c * c + d * d)
    if norm is None:
        return None
    half = pow(2, -1, P)
    a = fp_sqrt((c + norm) * half)
    if a is None:
        a = fp_sqrt((c - norm) * half)
    if a is None:
        return None
    return a, d * pow(2 * a, -1, P) % P


class Group:
    """Affine points, None for infinity; the field's operations are arguments."""

    def __init__(self, b, add, sub, mul, inv, sqrt, scale):
        self.b, self.add_, self.sub, self.mul, self.inv, self.sqrt, self.scale = b, add, sub, mul, inv, sqrt, scale

    def right_side(self, x):
        return self.add_(self.mul(self.mul(x, x), x), self.b)

    def contains(self, point):
        return point is None or self.mul(point[1], point[1]) == self.right_side(point[0])

    def negate(self, point):
        return None if point is None else (point[0], self.scale(point[1], -1))

    def slope(self, p, q):
        if p[0] == q[0]:
            return self.mul(self.scale(self.mul(p[0], p[0]), 3), self.inv(self.scale(p[1], 2)))
        return self.mul(self.sub(q[1], p[1]), self.inv(self.sub(q[0], p[0])))

    def add(self, p, q):
        if p is None or q is None:
            return q if p is None else p
        if p[0] == q[0] and p[1] != q[1]:
            return None
        slope = self.slope(p, q)
        x = self.sub(self.sub(self.mul(slope, slope), p[0]), q[0])
        return x, self.sub(self.mul(slope, self.sub(p[0], x)), p[1])

    def multiply(self, k, point):
        result = None
        for bit in bin(k)[2:]:
            result = self.add(result, result)
            if bit == "1":
                result = self.add(result, point)
        return result


G1 = Group(
    2,
    lambda x, y: (x + y) % P,
    lambda x, y: (x - y) % P,
    lambda x, y: x * y % P,
    lambda x: pow(x, -1, P),
    fp_sqrt,
    lambda x, k: x * k % P,
)
G2 = Group((1, P - 1), f2_add, f2_sub, f2_mul, f2_inv, f2_sqrt, f2_scale)

# 0Chain's base point for public keys; the point of G1 that anchors are told by is ours.
Q = (
    (
        0x11CCB44E77AC2C5DC32A6009594DBE331EC85A61290D6BBAC8CC7EBB2DCEB128,
        0x0F204A14BBDAC4A05BE9A25176DE827F2E60085668BECDD4FC5FA914C9EE0D9A,
    ),
    (
        0x07C13D8487903EE3C1C5EA327A3A52B6CC74796B1760D5BA20ED802624ED19C8,
        0x008F9642BBAACB73D8C89492528F58932F2DE9AC3E80C7B0E41F1A84F1C40182,
    ),
)
G = (P - 1, 1)


# Fp12 = Fp2[w]/(w⁶ - ξ), ξ = 1 + i: six pairs.

XI = (1, 1)
ONE = [(1, 0)] + [(0, 0)] * 5
FROBENIUS2 = [pow(f2_pow(XI, (P * P - 1) // 6)[0], k, P) for k in range(6)]


def f12_mul(x, y):
    real, imaginary = [0] * 11, [0] * 11
    for i, (a, b) in enumerate(x):
        if a or b:
            for j, (c, d) in enumerate(y):
                real[i + j] += a * c - b * d
                imaginary[i + j] += a * d + b * c
    return [
        ((real[k] + (real[k + 6] - imaginary[k + 6] if k < 5 else 0)) % P,
         (imaginary[k] + (real[k + 6] + imaginary[k + 6] if k < 5 else 0)) % P)
        for k in range(6)
    ]


def f12_conjugate(x):
    return [c if k % 2 == 0 else f2_scale(c, -1) for k, c in enumerate(x)]


def f12_inv(x):
    """By the norm to Fp6 = Fp2[v]/(v³ - ξ), v = w², and the adjoint there."""
    bar = f12_conjugate(x)
    a, b, c = f12_mul(x, bar)[0::2]
    t0 = f2_sub(f2_mul(a, a), f2_mul(XI, f2_mul(b, c)))
    t1 = f2_sub(f2_mul(XI, f2_mul(c, c)), f2_mul(a, b))
    t2 = f2_sub(f2_mul(b, b), f2_mul(a, c))
    norm = f2_add(f2_mul(a, t0), f2_mul(XI, f2_add(f2_mul(c, t1), f2_mul(b, t2))))
    n = f2_inv(norm)
    zero = (0, 0)
    return f12_mul(bar, [f2_mul(t0, n), zero, f2_mul(t1, n), zero, f2_mul(t2, n), zero])


def f12_pow(x, exponent):
    result = ONE
    for bit in bin(exponent)[2:]:
        result = f12_mul(result, result)
        if bit == "1":
            result = f12_mul(result, x)
    return result


def pairing_product(pairs):
    """The product of e(p, q) over pairs of points, none at infinity."""
    f = ONE
    running = [q for _, q in pairs]
    zero = (0, 0)

    def step(f, index, other):
        (x, y), t = pairs[index][0], running[index]
        slope = G2.slope(t, other)
        line = [(y, 0), f2_scale(slope, -x), zero, f2_sub(f2_mul(slope, t[0]), t[1]), zero, zero]
        running[index] = G2.add(t, other)
        return f12_mul(f, line)

    for bit in bin(LOOP)[3:]:
        f = f12_mul(f, f)
        for index in range(len(pairs)):
            f = step(f, index, running[index])
        if bit == "1":
            for index, (_, q) in enumerate(pairs):
                f = step(f, index, q)
    f = f12_mul(f12_conjugate(f), f12_inv(f))
    f = f12_mul([f2_scale(c, FROBENIUS2[k]) for k, c in enumerate(f)], f)
    return f12_pow(f, (P**4 - P**2 + 1) // R)


# Text.


def _bytes(text, size):
    if not isinstance(text, str) or len(text) != 2 * size:
        raise InvalidEncoding(f"{2 * size} hex digits are needed")
    try:
        raw = bytes.fromhex(text)
    except ValueError as error:
        raise InvalidEncoding(str(error)) from None
    if len(raw) != size:
        raise InvalidEncoding("white space among hex digits")
    return raw


def _coordinate(raw):
    value = int.from_bytes(raw, "little")
    if value >= P:
        raise InvalidEncoding("a coordinate is not below p")
    return value


def secret_from_text(text):
    value = int.from_bytes(_bytes(text, 32), "little")
    if not 0 < value < R:
        raise InvalidEncoding("a secret key is in 1 ... r - 1")
    return value


def secret_to_text(secret):
    return (secret % R).to_bytes(32, "little").hex()


def g1_from_text(text):
    """A signature; infinity is refused."""
    raw = bytearray(_bytes(text, 32))
    odd, raw[31] = raw[31] >> 7, raw[31] & 0x7F
    x = _coordinate(raw)
    y = fp_sqrt(G1.right_side(x))
    if y is None or (x == 0 and not any(raw)):
        raise InvalidEncoding("no point of the curve, or infinity")
    return x, y if y % 2 == odd else P - y


def g1_to_text(point):
    raw = bytearray(point[0].to_bytes(32, "little"))
    raw[31] |= (point[1] & 1) << 7
    return raw.hex()


def g2_from_text(text):
    """A public key; infinity and points outside the subgroup are refused."""
    raw = bytearray(_bytes(text, 64))
    odd, raw[63] = raw[63] >> 7, raw[63] & 0x7F
    x = _coordinate(raw[:32]), _coordinate(raw[32:])
    y = f2_sqrt(G2.right_side(x))
    if not any(raw) or y is None or not G2.contains((x, y)):
        raise InvalidEncoding("no point of the twist, or infinity")
    point = x, y if y[0] % 2 == odd else f2_scale(y, -1)
    if G2.multiply(R, point) is not None:
        raise InvalidEncoding("outside the subgroup of order r")
    return point


def g2_to_text(point):
    (x0, x1), (y0, _) = point
    raw = bytearray(x0.to_bytes(32, "little") + x1.to_bytes(32, "little"))
    raw[63] |= (y0 & 1) << 7
    return raw.hex()


# Hashing to G1: Fouque and Tibouchi's map for BN curves, once.

C1 = fp_sqrt(P - 3)
C2 = (C1 - 1) * pow(2, -1, P) % P


def hash_to_field(message):
    value = int.from_bytes(hashlib.sha256(message).digest(), "little") & (2**254 - 1)
    return value if value < P else value & (2**253 - 1)


def map_to_g1(t):
    w = C1 * t * pow(3 + t * t, -1, P) % P
    first = (C2 - t * w) % P
    for x in (first, (-1 - first) % P, (1 + pow(w * w, -1, P)) % P):
        y = fp_sqrt(G1.right_side(x))
        if y is not None:
            return x, y if pow(t, (P - 1) // 2, P) == 1 else P - y
    raise AssertionError("one of three candidates is on the curve")


def hash_to_g1(message):
    return map_to_g1(hash_to_field(message))


# Keys and signatures.


def random_secret():
    return secrets.randbelow(R - 1) + 1


def masked_import(raw):
    """The first 32 bytes, 254 bits of them, and bit 253 cleared too where r is still reached."""
    value = int.from_bytes(raw[:32], "little") & (2**254 - 1)
    return value if value < R else value & (2**253 - 1)


def secret_of_mnemonic(words, passphrase=PASSPHRASE):
    """BIP-39's seed and the masked import; the checksum of the words is not looked at."""
    text = unicodedata.normalize("NFKD", words).encode()
    salt = unicodedata.normalize("NFKD", "mnemonic" + passphrase).encode()
    return masked_import(hashlib.pbkdf2_hmac("sha512", text, salt, 2048, 64))


def public_key(secret):
    return g2_to_text(G2.multiply(secret, Q))


def client_id(public):
    return hashlib.sha3_256(_bytes(public, 64)).hexdigest()


def sign(secret, message):
    return g1_to_text(G1.multiply(secret, hash_to_g1(message)))


def verify(public, message, signature):
    """Whether e(S, Q) = e(H(m), pk); False for what does not decode."""
    try:
        s, key = g1_from_text(signature), g2_from_text(public)
    except InvalidEncoding:
        return False
    return pairing_product([(G1.negate(s), Q), (hash_to_g1(message), key)]) == ONE


def add_signatures(*signatures):
    total = None
    for signature in signatures:
        total = G1.add(total, g1_from_text(signature))
    return g1_to_text(total)


def add_public_keys(*keys):
    total = None
    for key in keys:
        total = G2.add(total, g2_from_text(key))
    return g2_to_text(total)


def split(secret, count=2):
    """Shares that add up to the secret, none of them 0."""
    while True:
        shares = [random_secret() for _ in range(count - 1)]
        last = (secret - sum(shares)) % R
        if last:
            return shares + [last]


def transaction_hash(transaction):
    """The 32 bytes that a transaction's signature is over."""
    data = hashlib.sha3_256(transaction.get("transaction_data", "").encode()).hexdigest()
    fields = ["creation_date", "transaction_nonce", "client_id", "to_client_id", "transaction_value"]
    defaults = {"client_id": "", "to_client_id": ""}
    text = ":".join([str(transaction.get(name, defaults.get(name, 0))) for name in fields] + [data])
    return hashlib.sha3_256(text.encode()).digest()
