"""The same cryptography by another hand: pyca/cryptography checks what the daemon made."""
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, utils

from webkms_client import ec_thumbprint, okp_thumbprint

CURVES = {
    "P256": (ec.SECP256R1, hashes.SHA256, "P-256", 32),
    "P384": (ec.SECP384R1, hashes.SHA384, "P-384", 48),
    "P521": (ec.SECP521R1, hashes.SHA512, "P-521", 66),
    "Secp256k1": (ec.SECP256K1, hashes.SHA256, "SECP256K1", 32),
}
PREFIX = 5  # one version byte and a 32-bit key id, before secp256k1 signatures and MACs


def curve_of(key_type):
    return next(CURVES[name] for name in CURVES if name in key_type)


def load_public(key_type, exported):
    """The public key in the encoding its type prescribes; any other encoding raises."""
    if key_type == "ED25519":
        return ed25519.Ed25519PublicKey.from_public_bytes(exported)
    curve, _, _, size = curve_of(key_type)
    if key_type.endswith("DER"):
        key = serialization.load_der_public_key(exported)
        assert isinstance(key.curve, curve)
        return key
    assert len(exported) == 1 + 2 * size and exported[0] == 4
    return ec.EllipticCurvePublicKey.from_encoded_point(curve(), exported)


def verify(key_type, exported, signature, message):
    """Raises InvalidSignature unless the signature is right, in the form its type prescribes."""
    public = load_public(key_type, exported)
    if key_type == "ED25519":
        assert len(signature) == 64
        public.verify(signature, message)
        return
    _, digest, _, size = curve_of(key_type)
    if key_type.startswith("ECDSASecp256k1"):
        assert signature[0] == 1
        signature = signature[PREFIX:]
    if not key_type.endswith("DER"):
        assert len(signature) == 2 * size
        r, s = int.from_bytes(signature[:size], "big"), int.from_bytes(signature[size:], "big")
        signature = utils.encode_dss_signature(r, s)
    public.verify(signature, message, ec.ECDSA(digest()))


def key_id(key_type, exported):
    """The id a created asymmetric key must have."""
    if key_type == "ED25519":
        return okp_thumbprint(exported)
    numbers = load_public(key_type, exported).public_numbers()
    _, _, name, size = curve_of(key_type)
    return ec_thumbprint(name, numbers.x, numbers.y, size)


def make_private(key_type):
    return ed25519.Ed25519PrivateKey.generate() if key_type == "ED25519" else ec.generate_private_key(
        curve_of(key_type)[0]())


def pkcs8(private):
    return private.private_bytes(serialization.Encoding.DER, serialization.PrivateFormat.PKCS8,
                                 serialization.NoEncryption())


def public_bytes(key_type, private):
    public = private.public_key()
    if key_type == "ED25519":
        return public.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    if key_type.endswith("DER"):
        return public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return public.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
