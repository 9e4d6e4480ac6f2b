"""Generation GN: what full nodes of February 2024 sent, with the proof that they left empty."""
import os
import time

import pytest

from decryption_client import KMS, Wallet, verify
from test_decryption import vector, world  # noqa: F401
from test_decryption_proofs import acl
from wire import (blob, der_number, der_octets, der_sequence, der_type, der_vector, fields, keccak, message, number,
                  sha3)


class NodeAsk:
    """A question of generation GN."""

    def __init__(self, ciphertext, fhe_type, height, proof, content=b"", authorization=b"", listed=b""):
        self.ciphertext, self.fhe_type, self.height, self.proof = ciphertext, fhe_type, height, proof
        self.content, self.authorization, self.list = content, authorization, listed

    @property
    def bytes(self):
        return message(number(1, self.fhe_type), blob(2, self.ciphertext), blob(3, self.content),
                       blob(4, message(number(1, self.height), blob(2, self.proof))), blob(100, self.list),
                       blob(101, self.authorization))

    @property
    def digest(self):
        return sha3(der_vector(der_sequence(
            der_type(self.fhe_type), der_vector(self.ciphertext), der_vector(self.content), der_number(self.height),
            der_vector(self.proof))))

    def check_decryption(self, answer, server):
        found = fields(answer)
        value = found.get(3, 0)
        assert found.get(2, 0) == self.fhe_type
        plaintext = der_sequence(der_number(value), der_type(self.fhe_type))
        verify(server, der_sequence(der_number(1), der_number(1), der_vector(der_octets(server)), der_vector(plaintext),
                                    der_vector(self.digest)), found[1])
        return value

    def check_reencryption(self, answer, server, wallet):
        found = fields(answer)
        assert found.get(2, 0) == self.fhe_type
        value, fhe_type, digest = wallet.open(found[1], server, wallet.address)
        assert fhe_type == self.fhe_type and digest == self.digest
        return int.from_bytes(value, "little")


@pytest.mark.parametrize("method", ["Decrypt", "Validate_and_decrypt"])
def test_generation_gn_decrypts_by_either_name(world, method):
    w = world("GN")
    for name, fhe_type, value in (("t061_small/FheUint32_3735928559.bin", 4, 3735928559), ("t061_small/FheUint8_255.bin", 2, 255),
                                  ("t061_small/FheBool_false.bin", 0, 0)):
        ciphertext = vector(name)
        height, proof = w.mark(ciphertext)
        ask = NodeAsk(ciphertext, fhe_type, height, proof, os.urandom(40))
        assert ask.check_decryption(w.node.call(KMS, method, ask.bytes), w.server) == value


@pytest.mark.parametrize("method", ["Reencrypt", "Validate_and_reencrypt"])
def test_generation_gn_reencrypts_for_the_user_who_signed(world, method):
    w = world("GN")
    ciphertext, wallet, other = vector("t061_small/FheUint32_3735928559.bin"), Wallet(), Wallet()
    height, proof = w.mark(ciphertext, wallet.address)
    key = bytes(wallet.box.public_key)
    ask = NodeAsk(ciphertext, 4, height, proof, key, wallet.authorization())
    assert ask.check_reencryption(w.node.call(KMS, method, ask.bytes), w.server, wallet) == 3735928559
    listed = acl(w.chain.contract, keccak(ciphertext), [other.address, wallet.address], [(wallet.address, proof)])
    ask = NodeAsk(ciphertext, 4, height, b"", key, wallet.permit(int(time.time()) - 5, 1), listed)
    assert ask.check_reencryption(w.node.call(KMS, method, ask.bytes), w.server, wallet) == 3735928559
    for name, content, authorization, expected in (
            ("nobody signed", key, b"", "PERMISSION_DENIED"),
            ("another user signed", key, other.authorization(public_key=key), "PERMISSION_DENIED"),
            ("another key was signed", bytes(other.box.public_key), wallet.authorization(), "PERMISSION_DENIED"),
            ("the key in its DER form", der_octets(key), wallet.authorization(), "INVALID_ARGUMENT"),
            ("no key", b"", wallet.authorization(), "INVALID_ARGUMENT"),
            ("a key that everybody has", bytes(32), wallet.authorization(public_key=bytes(32)), "INVALID_ARGUMENT")):
        code, words = w.node.refused(KMS, method, NodeAsk(ciphertext, 4, height, proof, content, authorization).bytes)
        assert code == expected, f"{name}: {code} {words}"


def test_generation_gn_without_a_user_stays_refused_where_request_keys_stand_for_users(world):
    w = world("GN", KMS_DECRYPTION_REQUIRE_USER_AUTH="false")
    ciphertext, wallet = vector("t061_small/FheUint8_255.bin"), Wallet()
    height, proof = w.mark(ciphertext, wallet.address)
    ask = NodeAsk(ciphertext, 2, height, proof, bytes(wallet.box.public_key))
    assert w.node.refused(KMS, "Reencrypt", ask.bytes)[0] == "PERMISSION_DENIED"


def test_generation_gn_decrypts_nothing_of_what_its_nodes_really_sent(world):
    w = world("GN")
    ciphertext = vector("t061_small/FheUint8_255.bin")
    height, proof = w.mark(ciphertext)
    # An empty proof and a constant height.
    assert w.node.refused(KMS, "Decrypt", NodeAsk(ciphertext, 2, 4, b"").bytes)[0] == "PERMISSION_DENIED"
    half = NodeAsk(ciphertext, 2, height, proof)
    cases = {
        "another type": (NodeAsk(ciphertext, 3, height, proof).bytes, "INVALID_ARGUMENT"),
        "a type that there is not": (NodeAsk(ciphertext, 6, height, proof).bytes, "INVALID_ARGUMENT"),
        "a request that is too long": (NodeAsk(ciphertext, 2, height, proof, bytes(4097)).bytes, "INVALID_ARGUMENT"),
        "a proof in two pieces": (half.bytes + blob(4, message(number(1, height))), "INVALID_ARGUMENT"),
        "no ciphertext": (NodeAsk(b"", 2, height, proof).bytes, "INVALID_ARGUMENT"),
        "nothing": (b"", "INVALID_ARGUMENT"),
        "garbage": (os.urandom(500), "INVALID_ARGUMENT"),
        "another ciphertext": (NodeAsk(vector("t061_small/FheBool_false.bin"), 0, height, proof).bytes, "PERMISSION_DENIED"),
    }
    for name, (request, expected) in cases.items():
        code, words = w.node.refused(KMS, "Validate_and_decrypt", request)
        assert code == expected, f"{name}: {code} {words}"
    assert w.daemon.is_running()


def test_each_generation_shows_its_own_methods_and_no_others(world):
    w = world("GN")
    stream = w.node.channel.stream_stream("/grpc.reflection.v1.ServerReflection/ServerReflectionInfo")
    answer = next(iter(stream(iter([blob(4, KMS.encode())]), timeout=10)))
    file = fields(fields(fields(answer)[4])[1])
    assert file[1] == b"gn.proto" and b"Validate_and_decrypt" in file[6]
    assert w.node.refused(KMS, "GetKey", b"")[0] == "UNIMPLEMENTED"
