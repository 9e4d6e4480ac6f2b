"""Makes a dump of a TrustBloc server's stores: Tink keysets, encrypted and locked as the server does it."""
import base64
import hashlib
import hmac as hmac_module
import json
import os
import struct

import zcap
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.concatkdf import ConcatKDFHash
from cryptography.hazmat.primitives.keywrap import aes_key_wrap
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


def ecdsa(private, curve, encoding, digest=None):
    """`digest`: 2 for SHA-384, 3 for SHA-256, 4 for SHA-512; without it the curve's own."""
    numbers = private.private_numbers()
    digest = digest or {2: 3, 3: 2, 4: 4}[curve]
    public = field(2, field(1, digest) + field(2, curve) + field(3, encoding)) + field(
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

    def invoker(self, private):
        """The server's own key that vaults' capabilities name."""
        public = private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        self.put("kmsdb", thumbprint(kty="OKP", crv="Ed25519", x=url64(public)),
                 record(keyset(1, key(*ed25519_key(private), 1, RAW)), self.server))

    def key(self, name, main, serialized):
        """`main` is the key of a key lock, or a lock as a function."""
        self.put("kmsdb", name, record(serialized, main if callable(main) else key_lock(main)))

    def write(self, path):
        path.write_text("\n".join(self.lines) + "\n")
        return path


def url64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def thumbprint(**members):
    return url64(hashlib.sha256(json.dumps(members, separators=(",", ":"), sort_keys=True).encode()).digest())


class VaultKeystore:
    """A keystore whose keys the server keeps in a vault, with the server's own two keys for it."""

    def __init__(self, dump, name, controller, edv, main=""):
        """`edv` is the member of that name without the server's keys."""
        self.main, self.mac, self.recipient = None, os.urandom(32), ec.generate_private_key(ec.SECP256R1())
        numbers = self.recipient.public_key().public_numbers()
        self.kid = thumbprint(kty="EC", crv="P-256", **{
            part: url64(getattr(numbers, part).to_bytes(32, "big")) for part in "xy"})
        if main:
            self.main = os.urandom(32)
            dump.put("kmsdb", main, record(keyset(7, key(*aes_gcm(self.main), 7, TINK)), dump.server))
        dump.put("keystores", name, {
            "id": name, "controller": controller, "main_key_id": main, "created_at": "2022-03-04T05:06:07Z",
            "edv": {**edv, "recipient_key_id": self.kid, "mac_key_id": "mac-" + name}})
        dump.put("kmsdb", self.kid, record(keyset(1, key(*nist_agreement(self.recipient), 1, RAW)), dump.server))
        dump.put("kmsdb", "mac-" + name, record(keyset(9, key(*hmac(self.mac), 9, TINK)), dump.server))

    def document(self, name, serialized, lock=None):
        """A key's record as the vault has it: its id there, and the document."""
        value = record(serialized, lock or key_lock(self.main))
        tag = b"\x01" + struct.pack(">I", 9) + hmac_module.new(self.mac, b"kmsdb" + name.encode(), hashlib.sha256).digest()
        content = json.dumps({"id": "", "meta": None, "content": {
            "unformattedKey": name, "unformattedValue": base64.b64encode(value.encode()).decode(),
            "unformattedTags": None}})
        identifier = zcap.base58(tag[:16])
        return identifier, {"id": identifier, "sequence": 0, "jwe": self._encrypted(content.encode()), "indexed": [
            {"sequence": 0, "hmac": {"id": "", "type": ""}, "attributes": []}]}

    def _encrypted(self, content):
        """ECDH-ES+A256KW with A256GCM (RFC 7518), the party's name being the ephemeral key's x, encoded twice."""
        ephemeral = ec.generate_private_key(ec.SECP256R1())
        numbers = ephemeral.public_key().public_numbers()
        x, y = (url64(getattr(numbers, part).to_bytes(32, "big")) for part in "xy")
        algorithm, party = b"ECDH-ES+A256KW", x.encode()
        info = b"".join(struct.pack(">I", len(part)) + part for part in (algorithm, party, b"")) + struct.pack(">I", 256)
        shared = ephemeral.exchange(ec.ECDH(), self.recipient.public_key())
        wrapping, secret, nonce = ConcatKDFHash(hashes.SHA256(), 32, info).derive(shared), os.urandom(32), os.urandom(12)
        protected = url64(json.dumps({
            "alg": algorithm.decode(), "apu": url64(party), "enc": "A256GCM",
            "epk": {"kty": "EC", "crv": "P-256", "x": x, "y": y}, "kid": self.kid, "typ": "EDVEncryptedDocument",
        }).encode())
        sealed = AESGCM(secret).encrypt(nonce, content, protected.encode())
        return {"protected": protected, "encrypted_key": url64(aes_key_wrap(wrapping, secret)), "iv": url64(nonce),
                "ciphertext": url64(sealed[:-16]), "tag": url64(sealed[-16:])}
