"""A full node and a wallet for the decryption API: grpcio as transport, and cryptography of their own."""
import os

import grpc
from coincurve import PrivateKey, PublicKey
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils
from eth_account import Account
from eth_account.messages import encode_typed_data
from nacl.public import Box
from nacl.public import PrivateKey as BoxKey
from nacl.public import PublicKey as BoxPublicKey

from wire import (blob, der_number, der_octets, der_sequence, der_text, der_type, der_vector, fields, keccak, message, number,
                  read_der, sha3)

ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
KMS = "kms.KmsEndpoint"
OWN = "kmsd.decryption.v1.Decryption"
DOMAIN = {"name": "Authorization token", "version": "1", "chainId": 9000,
          "verifyingContract": "0xBF340197BB0f3c3dF7aBc4506b5b186342854389"}


def address(key):
    return keccak(PublicKey(key.public_key.format()).format(compressed=False)[1:])[-20:]


def verify(key, data, signature, algorithm="ES256K"):
    """A low-S secp256k1 signature over SHA-256 of the data, or one on P-256."""
    assert len(signature) == 64
    if algorithm == "ES256":
        r, s = (int.from_bytes(signature[at:at + 32], "big") for at in (0, 32))
        public = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), key)
        public.verify(utils.encode_dss_signature(r, s), data, ec.ECDSA(hashes.SHA256()))
        return
    assert int.from_bytes(signature[32:], "big") <= ORDER // 2, "high S"
    r, s = (signature[at:at + 32].lstrip(b"\0") for at in (0, 32))
    integers = b"".join(bytes([2, len(n) + (n[0] >> 7)]) + (b"\0" if n[0] >> 7 else b"") + n for n in (r, s))
    assert PublicKey(key).verify(bytes([0x30, len(integers)]) + integers, data), "the signature is another key's"


class Wallet:
    """A user: his request key, his encryption key, his account."""

    def __init__(self):
        self.key = PrivateKey(os.urandom(32))
        self.box = BoxKey.generate()
        self.account = Account.create()

    @property
    def verification_key(self):
        return self.key.public_key.format()

    @property
    def verification_field(self):
        return der_octets(self.verification_key)

    @property
    def encryption_field(self):
        return der_octets(bytes(self.box.public_key))

    @property
    def address(self):
        return bytes.fromhex(self.account.address[2:])

    def sign(self, data, high_s=False):
        recoverable = self.key.sign_recoverable(data)
        signature = recoverable[:64]
        if high_s:
            signature = signature[:32] + (ORDER - int.from_bytes(signature[32:], "big")).to_bytes(32, "big")
        return der_octets(signature)

    def authorization(self, domain=DOMAIN, public_key=None, spoil=None):
        """UserAuth of the scheme LEGACY_REENCRYPT."""
        typed = {
            "types": {
                "EIP712Domain": [{"name": "name", "type": "string"}, {"name": "version", "type": "string"},
                                 {"name": "chainId", "type": "uint256"}, {"name": "verifyingContract", "type": "address"}],
                "Reencrypt": [{"name": "publicKey", "type": "bytes"}],
            },
            "primaryType": "Reencrypt", "domain": domain,
            "message": {"publicKey": public_key or bytes(self.box.public_key)},
        }
        signature = self.account.sign_message(encode_typed_data(full_message=typed)).signature
        parts = {1: 1, 2: domain["chainId"], 3: bytes.fromhex(domain["verifyingContract"][2:]), 7: bytes(signature)}
        parts.update(spoil or {})
        return message(*(number(n, v) if isinstance(v, int) else blob(n, v) for n, v in sorted(parts.items())))

    def permit(self, start, days, domain_name="Decryption", contracts=(), extra=b"\0"):
        """UserAuth of the scheme USER_DECRYPT_REQUEST."""
        typed = {
            "types": {
                "EIP712Domain": [{"name": "name", "type": "string"}, {"name": "version", "type": "string"},
                                 {"name": "chainId", "type": "uint256"}, {"name": "verifyingContract", "type": "address"}],
                "UserDecryptRequestVerification": [
                    {"name": "publicKey", "type": "bytes"}, {"name": "contractAddresses", "type": "address[]"},
                    {"name": "startTimestamp", "type": "uint256"}, {"name": "durationDays", "type": "uint256"},
                    {"name": "extraData", "type": "bytes"}],
            },
            "primaryType": "UserDecryptRequestVerification", "domain": {**DOMAIN, "name": domain_name},
            "message": {"publicKey": bytes(self.box.public_key), "contractAddresses": ["0x" + c.hex() for c in contracts],
                        "startTimestamp": start, "durationDays": days, "extraData": extra},
        }
        signature = self.account.sign_message(encode_typed_data(full_message=typed)).signature
        return message(
            number(1, 2), number(2, DOMAIN["chainId"]), blob(3, bytes.fromhex(DOMAIN["verifyingContract"][2:])),
            *(blob(4, c) for c in contracts), number(5, start), number(6, days), blob(7, bytes(signature)), blob(8, extra))

    def open(self, signcrypted, server, receiver, algorithm="ES256K"):
        """Message inside a signcryption, after every check that a careful client makes."""
        (box, nonce, ephemeral), rest = read_der(signcrypted)
        assert not rest and len(nonce) == 24 and len(ephemeral) == 32
        inner = Box(self.box, BoxPublicKey(ephemeral)).decrypt(bytes(box), bytes(nonce))
        assert len(inner) >= 128
        body, signature, key_digest, ephemeral_digest = inner[:-128], inner[-128:-64], inner[-64:-32], inner[-32:]
        assert key_digest == sha3(der_octets(server)) and ephemeral_digest == sha3(der_octets(ephemeral))
        verify(server, body + sha3(der_octets(receiver)) + sha3(self.encryption_field), signature, algorithm)
        ((value, fhe_type), digest), rest = read_der(body)
        assert not rest
        return bytes(value), int.from_bytes(fhe_type, "little"), bytes(digest)


class Node:
    """Speaks to the daemon; every call says what came back, error or not."""

    def __init__(self, target, credentials=None):
        options = [("grpc.max_receive_message_length", 64 << 20), ("grpc.max_send_message_length", 64 << 20)]
        self.channel = (grpc.secure_channel(target, credentials, options) if credentials
                        else grpc.insecure_channel(target, options))

    def call(self, service, method, request, timeout=30, **more):
        return self.channel.unary_unary(f"/{service}/{method}")(request, timeout=timeout, **more)

    def refused(self, service, method, request, **more):
        """The status and the words of a refusal."""
        try:
            answer = self.call(service, method, request, **more)
        except grpc.RpcError as error:
            return error.code().name, error.details()
        raise AssertionError(f"{method} was answered: {answer[:64].hex()}…")

    def close(self):
        self.channel.close()


class Ask:
    """A question of generation GA or GB, from its parts: each can be spoilt before it is written."""

    def __init__(self, generation, wallet, ciphertext, fhe_type, height, proof, purpose="Decrypt", key="", authorization=b""):
        self.generation, self.wallet, self.ciphertext, self.fhe_type = generation, wallet, ciphertext, fhe_type
        self.height, self.proof, self.purpose, self.key = height, proof, purpose, key
        self.authorization = authorization
        self.randomness = os.urandom(32 if generation == "GA" else 16)
        self.version, self.servers = 1, 1
        self.high_s = False

    @property
    def der(self):
        w = self.wallet
        keys = [der_vector(w.verification_field)] + ([der_vector(w.encryption_field)] if self.purpose == "Reencrypt" else [])
        if self.generation == "GA":
            return der_sequence(*keys, der_type(self.fhe_type), der_vector(self.ciphertext), der_vector(self.randomness),
                                der_number(self.height), der_vector(self.proof))
        head = [der_number(self.version), der_number(self.servers)]
        if self.purpose == "Decrypt":
            return der_sequence(*head, der_type(self.fhe_type), der_vector(self.randomness), der_text(self.key),
                                der_vector(self.ciphertext))
        return der_sequence(*head, *keys, der_type(self.fhe_type), der_vector(self.randomness), der_vector(self.ciphertext),
                            der_text(self.key))

    @property
    def digest(self):
        return sha3(der_vector(self.der))

    @property
    def proof_message(self):
        return message(number(1, self.height), blob(2, self.proof))

    @property
    def payload(self):
        w = self.wallet
        if self.generation == "GA":
            keys = [w.verification_field] + ([w.encryption_field] if self.purpose == "Reencrypt" else [])
            parts = [blob(n + 1, k) for n, k in enumerate(keys)]
            n = len(keys)
            return message(*parts, number(n + 1, self.fhe_type), blob(n + 2, self.ciphertext), blob(n + 3, self.proof_message),
                           blob(n + 4, self.randomness))
        return message(number(1, self.version), number(2, self.servers), blob(3, w.verification_field), blob(4, self.randomness),
                       blob(5, w.encryption_field), number(6, self.fhe_type), blob(7, self.key.encode()), blob(8, self.ciphertext))

    @property
    def bytes(self):
        if self.generation == "GB" and self.purpose == "Decrypt":
            return message(number(1, self.version), number(2, self.servers), blob(3, self.randomness), number(4, self.fhe_type),
                           blob(5, self.key.encode()), blob(6, self.ciphertext), blob(102, self.proof_message))
        out = blob(1, self.wallet.sign(self.der, self.high_s)) + blob(2, self.payload)
        out += blob(101, self.authorization)
        return out + (blob(102, self.proof_message) if self.generation == "GB" else b"")

    def check_decryption(self, answer, server):
        """The value of an answer whose signature and digest hold."""
        outer = fields(answer)
        payload = fields(outer[2])
        ga = self.generation == "GA"
        key, plaintext, digest = (payload[2], payload[3], payload[4]) if ga else (payload[3], payload[5], payload[4])
        assert digest == self.digest and key == der_octets(server)
        if ga:
            assert payload[1] == 1 and payload.get(5, b"") == self.randomness
            signed = der_sequence(der_number(1), der_vector(key), der_vector(plaintext), der_vector(digest),
                                  der_vector(self.randomness))
        else:
            assert payload[1] == 1 and payload[2] == self.servers
            signed = der_sequence(der_number(1), der_number(self.servers), der_vector(key), der_vector(plaintext), der_vector(digest))
        verify(server, signed, outer[1])
        (value, fhe_type), rest = read_der(plaintext)
        assert not rest and int.from_bytes(fhe_type, "little") == self.fhe_type
        return self.early(bytes(value)) if ga else value

    def early(self, value):
        """Generation GA puts a 1 behind a truth value."""
        if self.fhe_type == 0:
            assert len(value) == 2 and value[1] == 1
            value = value[:1]
        return int.from_bytes(value, "little")

    def check_reencryption(self, answer, server):
        """The value that the wallet finds in an answer."""
        found = fields(answer)
        ga = self.generation == "GA"
        key, sealed, digest, fhe_type = ((found[2], found[4], found[5], found.get(3, 0)) if ga
                                         else (found[3], found[6], found[4], found.get(5, 0)))
        assert key == der_octets(server) and digest == self.digest and fhe_type == self.fhe_type
        value, inner_type, inner_digest = self.wallet.open(sealed, server, self.wallet.verification_key)
        assert inner_type == self.fhe_type and inner_digest == self.digest
        return self.early(value) if ga else int.from_bytes(value, "little")
