"""Makes a dump of a TrustBloc server's stores: Tink keysets, encrypted and locked as the server does it."""
import base64
import hashlib
import hmac as hmac_module
import json
import os
import struct

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

TINK, RAW = 1, 3
ENABLED, DISABLED, DESTROYED = 1, 2, 3
GOOGLE = "type.googleapis.com/google.crypto.tink."
ARIES = "type.hyperledger.org/hyperledger.aries.crypto.tink."


def varint(number):
    out = b""
    while number > 0x7F:
        out += bytes([number & 0x7F | 0x80])
        number >>= 7
    return out + bytes([number])


def field(number, value):
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    if isinstance(value, str):
        value = value.encode()
    return varint(number << 3 | 2) + varint(len(value)) + value


def number_bytes(number):
    """As Go writes big numbers: without leading zeros."""
    return number.to_bytes((number.bit_length() + 7) // 8, "big")


def key(type_url, value, key_id, prefix, status=ENABLED):
    data = field(1, type_url) + field(2, value) + field(3, 2)
    return field(1, data) + field(2, status) + field(3, key_id) + field(4, prefix)


def keyset(primary, *keys):
    return field(1, primary) + b"".join(field(2, each) for each in keys)


def aes_gcm(secret):
    return GOOGLE + "AesGcmKey", field(3, secret)


def hmac(secret):
    return GOOGLE + "HmacKey", field(2, field(1, 3) + field(2, 32)) + field(3, secret)


def ed25519_key(private):
    return GOOGLE + "Ed25519PrivateKey", field(
        2, private.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())) + field(
        3, field(2, private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)))


def ecdsa(private, curve, encoding):
    numbers = private.private_numbers()
    public = field(2, field(1, 3) + field(2, curve) + field(3, encoding)) + field(
        3, number_bytes(numbers.public_numbers.x)) + field(4, number_bytes(numbers.public_numbers.y))
    return GOOGLE + "EcdsaPrivateKey", field(2, public) + field(3, number_bytes(numbers.private_value))


def nist_agreement(private):
    numbers = private.private_numbers()
    public = field(2, field(1, field(1, 2))) + field(3, "kid") + field(
        4, number_bytes(numbers.public_numbers.x)) + field(5, number_bytes(numbers.public_numbers.y))
    return ARIES + "NistPEcdhKwPrivateKey", field(2, public) + field(3, number_bytes(numbers.private_value))


def local_lock(master):
    def lock(text):
        nonce = os.urandom(12)
        return nonce + AESGCM(master).encrypt(nonce, text, None)
    return lock


def key_lock(main):
    def lock(text):
        nonce = os.urandom(12)
        return struct.pack(">I", 12) + nonce + AESGCM(main).encrypt(nonce, text, None)
    return lock


def shamir_lock(secret):
    """HKDF-SHA-256 of the combined secret, without salt and info."""
    prk = hmac_module.new(bytes(32), secret, hashlib.sha256).digest()
    return local_lock(hmac_module.new(prk, b"\x01", hashlib.sha256).digest())


def record(serialized, lock):
    data_key, nonce = os.urandom(32), os.urandom(12)
    locked = lock(base64.urlsafe_b64encode(b"\x1a\x20" + data_key))
    envelope = struct.pack(">I", len(locked)) + locked + nonce + AESGCM(data_key).encrypt(nonce, serialized, None)
    return json.dumps({"encryptedKeyset": base64.b64encode(envelope).decode(), "keysetInfo": {"primaryKeyId": 1}})


class Dump:
    def __init__(self, server):
        """`server` is the key of a local lock, or a lock as a function."""
        self.server, self.lines = server if callable(server) else local_lock(server), []

    def put(self, store, name, value):
        value = value if isinstance(value, str) else json.dumps(value)
        self.lines.append(json.dumps({"store": store, "key": name,
                                      "value": base64.b64encode(value.encode()).decode()}))

    def keystore(self, name, controller):
        """A keystore with a main key, which is returned."""
        main = os.urandom(32)
        self.put("keystores", name, {"id": name, "controller": controller, "main_key_id": "main-" + name,
                                     "created_at": "2023-05-06T07:08:09.123Z"})
        self.put("kmsdb", "main-" + name, record(keyset(7, key(*aes_gcm(main), 7, TINK)), self.server))
        return main

    def shared_keystore(self, name, controller):
        """A keystore that is locked by shares: there is nothing but its metadata."""
        self.put("keystores", name, {"id": name, "controller": controller, "main_key_id": "",
                                     "created_at": "2023-05-06T07:08:09Z"})

    def key(self, name, main, serialized):
        """`main` is the key of a key lock, or a lock as a function."""
        self.put("kmsdb", name, record(serialized, main if callable(main) else key_lock(main)))

    def write(self, path):
        path.write_text("\n".join(self.lines) + "\n")
        return path
