"""The decryption API as strangers use it: a full node and a wallet in Python against the built daemon and a chain double."""
import base64
import os
import re
import time
from pathlib import Path

import grpc
import pytest
from cryptography.x509.oid import ExtendedKeyUsageOID

from chain_double import Chain, Node as ChainNode
from daemon import ROOT, eventually
from decryption_client import DOMAIN, KMS, OWN, Ask, Node, Wallet, address, verify
from test_guards import Authority
from wire import blob, fields, keccak, message, number, sha3, varint

VECTORS = ROOT / "Tests" / "TFHETests" / "Vectors"


def vector(name):
    return (VECTORS / name).read_bytes()


class World:
    """A chain with its nodes, a daemon that follows it, and keys of public vectors."""

    def __init__(self, installation, generation="GA", credentials=None, form="ics23", age=60, **more):
        self.installation = installation
        self.credentials = credentials
        self.chain = Chain(age=age, form=form)
        more = {**({} if form == "ics23" else {"KMS_DECRYPTION_PROOF_FORM": form}), **more}
        self.primary, self.witness = ChainNode(self.chain), ChainNode(self.chain)
        self.chain.make(5)
        root = self.chain.blocks[1]["hash"].hex()
        self.settings = {
            "KMS_DECRYPTION_HOST": "127.0.0.1:0", "KMS_DECRYPTION_GENERATION": generation,
            "KMS_DECRYPTION_CHAIN_ID": self.chain.chain_id, "KMS_DECRYPTION_ACL_CONTRACT": "0x" + self.chain.contract.hex(),
            "KMS_DECRYPTION_RPC": self.primary.url, "KMS_DECRYPTION_WITNESSES": self.witness.url,
            "KMS_DECRYPTION_TRUST": f"1:{root}", "KMS_DECRYPTION_POLL": "100ms", "KMS_OUTBOUND_ALLOW": "127.0.0.1",
            "KMS_DECRYPTION_AUTH_CHAIN_ID": str(DOMAIN["chainId"]),
            "KMS_DECRYPTION_AUTH_CONTRACT": DOMAIN["verifyingContract"], "KMS_DECRYPTION_KEY": "small", **more}
        self.nodes = []
        for name, path in (("small", "t061_small"), ("big", "t061_big")):
            file = installation.home / f"{name}.key"
            file.write_bytes(vector(f"{path}/client_key.bin"))
            file.chmod(0o600)
            installation.run("decryption", "key", "import", "--name", name, "--format", "raw-0.6", "--published", file)
            file.unlink()
        self.start()

    def start(self, is_followed=True, **more):
        self.daemon = self.installation.start(**{**self.settings, **more})
        found, _ = eventually(lambda: re.search(r"port=(\d+) .*decryption API listens", self.daemon.log()), 30, "the API")
        self.target = f"127.0.0.1:{found[1]}"
        self.node = Node(self.target, self.credentials)
        self.nodes.append(self.node)
        if is_followed:
            self.followed()
        self.server, self.algorithm = self.status()[6], self.status()[7].decode()
        return self

    def answered(self, request):
        """An answer to generation GA's question; None while the caller has to wait."""
        try:
            return self.node.call(KMS, "Decrypt", request)
        except grpc.RpcError as error:
            assert error.code() == grpc.StatusCode.RESOURCE_EXHAUSTED, error
            return None

    def status(self):
        return fields(self.node.call(OWN, "GetStatus", b""))

    def mark(self, ciphertext, account=None, **more):
        """Allows on the chain, and gives height and proof."""
        handle = keccak(ciphertext)
        self.chain.allow(handle, account, **more)
        height = self.chain.make(2)
        self.followed()
        return height, self.chain.proof(height, handle, account)

    def followed(self):
        eventually(lambda: self.status().get(2, 0) >= self.chain.height, 30, "the head of the chain")

    def end(self):
        for node in self.nodes:
            node.close()
        for node in (self.primary, self.witness):
            node.end()


@pytest.fixture
def world(own):
    worlds = []

    def make(*arguments, **more):
        worlds.append(World(own, *arguments, **more))
        return worlds[-1]

    yield make
    for made in worlds:
        made.end()


U8_04 = "t04_layout/FheUint8_42.bin"


def test_generation_ga_decrypts_what_the_chain_marks_and_signs_it_in_hardware(world):
    w = world()
    ciphertext = vector(U8_04)
    height, proof = w.mark(ciphertext)
    ask = Ask("GA", Wallet(), ciphertext, 1, height, proof)
    assert ask.check_decryption(w.node.call(KMS, "Decrypt", ask.bytes), w.server) == 42
    # The upstream client sent no randomness.
    ask.randomness = b""
    assert ask.check_decryption(w.node.call(KMS, "Decrypt", ask.bytes), w.server) == 42


def test_generation_ga_writes_truth_values_in_two_bytes(world):
    w = world(KMS_DECRYPTION_FORMAT="raw-0.6", KMS_DECRYPTION_KEY="big")
    ciphertext, wallet = vector("t061_big/FheBool_true.bin"), Wallet()
    height, proof = w.mark(ciphertext)
    ask = Ask("GA", wallet, ciphertext, 0, height, proof)
    assert ask.check_decryption(w.node.call(KMS, "Decrypt", ask.bytes), w.server) == 1
    height, proof = w.mark(ciphertext, wallet.address)
    ask = Ask("GA", wallet, ciphertext, 0, height, proof, "Reencrypt", authorization=wallet.authorization())
    assert ask.check_reencryption(w.node.call(KMS, "Reencrypt", ask.bytes), w.server) == 1


def test_generation_ga_reencrypts_for_the_user_whose_typed_signature_and_permission_it_has(world):
    w = world()
    ciphertext, wallet = vector(U8_04), Wallet()
    height, proof = w.mark(ciphertext, wallet.address)
    ask = Ask("GA", wallet, ciphertext, 1, height, proof, "Reencrypt", authorization=wallet.authorization())
    assert ask.check_reencryption(w.node.call(KMS, "Reencrypt", ask.bytes), w.server) == 42
    # Without the user's word nothing is re-encrypted; another user's word leads to another account.
    ask.authorization = b""
    assert w.node.refused(KMS, "Reencrypt", ask.bytes)[0] == "PERMISSION_DENIED"
    other = Wallet()
    other.box = wallet.box
    ask.authorization = other.authorization()
    code, words = w.node.refused(KMS, "Reencrypt", ask.bytes)
    assert code == "PERMISSION_DENIED" and other.account.address.lower() in words and "Authorization token" in words


def test_generation_ga_takes_the_request_key_for_the_user_where_the_operator_says_so(world):
    w = world(KMS_DECRYPTION_REQUIRE_USER_AUTH="false")
    ciphertext, wallet = vector(U8_04), Wallet()
    height, proof = w.mark(ciphertext, address(wallet.key))
    ask = Ask("GA", wallet, ciphertext, 1, height, proof, "Reencrypt")
    assert ask.check_reencryption(w.node.call(KMS, "Reencrypt", ask.bytes), w.server) == 42


def test_generation_gb_decrypts_and_reencrypts_with_a_named_key(world):
    w = world("GB")
    wallet = Wallet()
    for key, name, fhe_type, value in (("small", "t061_small/FheUint32_3735928559.bin", 4, 3735928559),
                                       ("big", "t061_big/FheUint16_48879.bin", 3, 48879),
                                       ("big", "t061_big/FheBool_true.bin", 0, 1)):
        ciphertext = vector(name)
        height, proof = w.mark(ciphertext)
        ask = Ask("GB", wallet, ciphertext, fhe_type, height, proof, key=key)
        assert ask.check_decryption(w.node.call(KMS, "Decrypt", ask.bytes), w.server) == value
        height, proof = w.mark(ciphertext, wallet.address)
        ask = Ask("GB", wallet, ciphertext, fhe_type, height, proof, "Reencrypt", key, wallet.authorization())
        assert ask.check_reencryption(w.node.call(KMS, "Reencrypt", ask.bytes), w.server) == value
    ask.servers = 2
    assert w.node.refused(KMS, "Reencrypt", ask.bytes)[0] == "FAILED_PRECONDITION"
    for key, code in (("", "INVALID_ARGUMENT"), ("../big", "INVALID_ARGUMENT"), ("nobody", "NOT_FOUND")):
        ask = Ask("GB", wallet, ciphertext, fhe_type, height, proof, key=key)
        assert w.node.refused(KMS, "Decrypt", ask.bytes)[0] == code
    assert w.node.refused(KMS, "KeyGen", blob(1, b"new"))[0] == "UNIMPLEMENTED"
    ask = Ask("GB", wallet, ciphertext, fhe_type, 0, b"", key="big")
    assert w.node.refused(KMS, "Decrypt", ask.bytes)[0] == "PERMISSION_DENIED"


def length_fields(label, *parts):
    """kmsd's fields: each behind its length."""
    out = b""
    for part in (label, *parts):
        part = part.to_bytes(8, "big") if isinstance(part, int) else part.encode() if isinstance(part, str) else part
        out += len(part).to_bytes(4, "big") + part
    return out


class Own:
    """A question of the own service."""

    def __init__(self, ciphertext, fhe_type, height, proof, key="", format=2, wallet=None, authorization=b""):
        self.id = os.urandom(32)
        self.ciphertext, self.fhe_type, self.height, self.proof = ciphertext, fhe_type, height, proof
        self.key, self.format, self.wallet, self.authorization = key, format, wallet, authorization

    @property
    def method(self):
        return "PublicDecrypt" if self.wallet is None else "UserDecrypt"

    @property
    def bytes(self):
        out = message(blob(1, self.id), blob(2, self.key.encode()), blob(3, self.ciphertext), number(4, self.format),
                      number(5, self.fhe_type), blob(6, message(number(1, self.height), blob(2, self.proof))))
        if self.wallet:
            out += blob(7, bytes(self.wallet.box.public_key)) + blob(8, self.authorization)
        return out

    @property
    def digest(self):
        name = {1: "raw-0.4", 2: "raw-0.6", 3: "safe-0.3", 4: "safe-0.5", 5: "raw-1.x", 6: "concrete-array"}[self.format]
        verb = "public-decrypt" if self.wallet is None else "user-decrypt"
        return sha3(length_fields("kmsd/decryption/request/v1", verb, self.id, self.key, name, self.fhe_type,
                                  keccak(self.ciphertext), self.height, self.proof,
                                  bytes(self.wallet.box.public_key) if self.wallet else b"", *self.fields_of_digest()))

    def fields_of_digest(self):
        return (self.authorization,)

    def check(self, answer, world, key):
        found = fields(answer)
        assert found[1] == self.digest
        verified, signature = fields(found[4]), fields(found[5])
        block = world.chain.blocks[self.height]
        assert verified[1].decode() == world.chain.chain_id and verified[2] == self.height
        assert verified[3] == block["hash"] and verified[4] == block["header"]["app_hash"]
        verb = "public-decrypt" if self.wallet is None else "user-decrypt"
        body = length_fields("kmsd/decryption/answer/v1", verb, self.digest, key, keccak(self.ciphertext), self.fhe_type,
                             found[3], found.get(6, b""), world.chain.chain_id, self.height, verified[3], verified[4])
        assert signature[1].decode() == world.algorithm
        verify(world.server, length_fields("kmsd/result/v1", body), signature[3], world.algorithm)
        if self.wallet is None:
            return int.from_bytes(found[3], "little")
        assert found[6] == self.wallet.address
        value, fhe_type, digest = self.wallet.open(found[3], world.server, self.wallet.address, world.algorithm)
        assert fhe_type == self.fhe_type and digest == self.digest
        return int.from_bytes(value, "little")


def test_the_own_service_answers_with_its_evidence_and_twice_the_same_under_one_id(world):
    w = world()
    ciphertext = vector("t061_big/FheUint8_42_safe.bin")
    height, proof = w.mark(ciphertext)
    ask = Own(ciphertext, 2, height, proof, "big", format=3)
    answer = w.node.call(OWN, "PublicDecrypt", ask.bytes)
    assert ask.check(answer, w, "big") == 42
    assert w.node.call(OWN, "PublicDecrypt", ask.bytes) == answer
    # Another question under the same id is refused, whatever it is.
    again = Own(ciphertext, 2, height, proof, "small", format=3)
    again.id = ask.id
    assert w.node.refused(OWN, "PublicDecrypt", again.bytes)[0] == "ALREADY_EXISTS"
    # The answer outlives the process.
    w.daemon.kill()
    w.start()
    assert w.node.call(OWN, "PublicDecrypt", ask.bytes) == answer
    wallet = Wallet()
    height, proof = w.mark(ciphertext, wallet.address)
    ask = Own(ciphertext, 2, height, proof, "big", format=3, wallet=wallet)
    ask.authorization = wallet.permit(int(time.time()) - 10, 1, contracts=[w.chain.contract])
    assert ask.check(w.node.call(OWN, "UserDecrypt", ask.bytes), w, "big") == 42
    for start, days, code in ((int(time.time()) + 600, 1, "PERMISSION_DENIED"),
                              (int(time.time()) - 2 * 86400, 1, "PERMISSION_DENIED"),
                              (int(time.time()) - 10, 366, "INVALID_ARGUMENT"), ((1 << 64) - 1, 1, "INVALID_ARGUMENT")):
        ask = Own(ciphertext, 2, height, proof, "big", format=3, wallet=wallet)
        ask.authorization = wallet.permit(start, days)
        assert w.node.refused(OWN, "UserDecrypt", ask.bytes)[0] == code, (start, days)


def test_a_proof_of_anything_else_grants_nothing(world):
    w = world()
    ciphertext, wallet = vector(U8_04), Wallet()
    handle = keccak(ciphertext)
    height, proof = w.mark(ciphertext)
    other = keccak(b"another ciphertext")
    w.chain.allow(other)
    w.chain.allow(handle, wallet.address)
    elsewhere = keccak(b"another contract")[:20]
    w.chain.allow(handle, contract=elsewhere)
    w.chain.storage[w.chain.key(keccak(b"two"))] = bytes(31) + b"\x02"
    latest = w.chain.make(2)
    w.followed()
    stranger = Chain("kmsd-test-2", w.chain.contract, seed="stranger")
    stranger.allow(handle)
    stranger.make(latest)
    good = w.chain.proof(latest, handle)
    ask = Ask("GA", wallet, ciphertext, 1, latest, good)
    assert ask.check_decryption(w.node.call(KMS, "Decrypt", ask.bytes), w.server) == 42
    operations = [blob(1, part) for part in fields(good)[1]]
    existence = fields(fields(operations[0])[1])[3]
    cases = {
        "another ciphertext": (latest, w.chain.proof(latest, other), "PERMISSION_DENIED"),
        "a permission to re-encrypt": (latest, w.chain.proof(latest, handle, wallet.address), "PERMISSION_DENIED"),
        "another contract": (latest, w.chain.proof(latest, handle, contract=elsewhere), "PERMISSION_DENIED"),
        "another height": (latest, w.chain.proof(height, handle), "PERMISSION_DENIED"),
        "another store": (latest, w.chain.proof_of_key(latest, w.chain.key(handle), "bank"), "PERMISSION_DENIED"),
        "another chain": (latest, stranger.proof(latest, handle), "PERMISSION_DENIED"),
        "a height to come": (latest + 5, good, "FAILED_PRECONDITION"),
        "height 0": (0, good, "INVALID_ARGUMENT"),
        "the other order": (latest, operations[1] + operations[0], "PERMISSION_DENIED"),
        "one operation": (latest, operations[0], "INVALID_ARGUMENT"),
        "a third operation": (latest, good + operations[1], "INVALID_ARGUMENT"),
        "an unknown field": (latest, good + number(9, 1), "INVALID_ARGUMENT"),
        "a proof cut off": (latest, good[:-1], "INVALID_ARGUMENT"),
        "no proof": (latest, b"", "PERMISSION_DENIED"),
        "a batch": (latest, blob(1, message(blob(1, b"ics23:iavl"), blob(2, w.chain.key(handle)), blob(3, blob(3, existence))))
                    + operations[1], "PERMISSION_DENIED"),
        "too deep": (latest, blob(1, message(
            blob(1, b"ics23:iavl"), blob(2, w.chain.key(handle)),
            blob(3, blob(1, fields(existence)[1] + blob(4, message(number(1, 1), blob(2, b"\x02\x04\x02\x20"))) * 129))))
            + operations[1], "INVALID_ARGUMENT"),
        "garbage": (latest, os.urandom(60_000), "INVALID_ARGUMENT"),
    }
    for name, (at, proof, expected) in cases.items():
        code, words = w.node.refused(KMS, "Decrypt", Ask("GA", wallet, ciphertext, 1, at, proof).bytes)
        assert code == expected, f"{name}: {code} {words}"
    # Taken back, it cannot be proven any more, and the old proof ages.
    w.chain.revoke(handle)
    w.chain.make(2)
    w.followed()
    ask = Ask("GA", wallet, ciphertext, 1, w.chain.height, w.chain.proof(w.chain.height, handle))
    assert w.node.refused(KMS, "Decrypt", ask.bytes)[0] == "PERMISSION_DENIED"


def test_an_old_proof_is_refused_once_it_is_too_far_behind(world):
    w = world(KMS_DECRYPTION_MAX_PROOF_AGE="3")
    ciphertext = vector(U8_04)
    height, proof = w.mark(ciphertext)
    ask = Ask("GA", Wallet(), ciphertext, 1, height, proof)
    assert ask.check_decryption(w.node.call(KMS, "Decrypt", ask.bytes), w.server) == 42
    w.chain.make(4)
    w.followed()
    code, words = w.node.refused(KMS, "Decrypt", ask.bytes)
    assert code == "FAILED_PRECONDITION" and "height" in words


def test_bad_ciphertexts_keys_and_signatures_get_a_status_and_no_value(world):
    w = world(KMS_DECRYPTION_FORMAT="raw-0.6")
    wallet = Wallet()

    def refused(ciphertext, fhe_type=1, **more):
        height, proof = w.mark(ciphertext)
        ask = Ask("GA", wallet, ciphertext, fhe_type, height, proof)
        for name, value in more.items():
            setattr(ask, name, value)
        return w.node.refused(KMS, "Decrypt", ask.bytes)

    small = vector("t061_small/FheUint8_255.bin")
    assert refused(small[:-1])[0] == "INVALID_ARGUMENT"
    assert refused(small + b"\0")[0] == "INVALID_ARGUMENT"
    assert refused(os.urandom(1 << 20))[0] == "INVALID_ARGUMENT"
    assert refused(small, 2)[0] == "INVALID_ARGUMENT"
    assert refused(small, 77)[0] == "INVALID_ARGUMENT"
    # Another key's ciphertext: the noise guard, or the length, never a random value.
    code, words = refused(vector("t061_big/FheUint8_42.bin"))
    assert code == "INVALID_ARGUMENT" and "key" in words
    # Four blocks, each a count of 8 bytes, 887 words and 60 bytes of parameters: every word is another one.
    spoilt = bytearray(small)
    for block in range(4):
        at = 8 + block * 7164 + 8
        spoilt[at:at + 887 * 8] = b"".join(sha3(b"%d/%d" % (block, n)) for n in range(222))[:887 * 8]
    code, words = refused(bytes(spoilt))
    assert code == "INVALID_ARGUMENT" and "noise" in words
    # An error names the format that was expected and the one that was found.
    code, words = refused(vector("t061_big/FheUint8_42_safe.bin"))
    assert code == "INVALID_ARGUMENT" and "raw-0.6" in words and "0.3" in words
    assert refused(small, high_s=True)[0] == "UNAUTHENTICATED"
    height, proof = w.mark(small)
    ask = Ask("GA", wallet, small, 1, height, proof)
    right = ask.bytes
    ask.wallet = Wallet()
    other = ask.bytes
    mixed = right[:2 + 66] + other[2 + 66:]
    assert w.node.refused(KMS, "Decrypt", mixed)[0] == "UNAUTHENTICATED"
    assert w.node.refused(KMS, "Decrypt", blob(1, b"short") + right[68:])[0] == "INVALID_ARGUMENT"
    assert w.node.refused(KMS, "Decrypt", b"")[0] == "INVALID_ARGUMENT"
    assert w.daemon.is_running()


def test_odd_protobuf_is_refused_where_something_hangs_on_it_and_ignored_elsewhere(world):
    w = world()
    ciphertext, wallet = vector(U8_04), Wallet()
    height, proof = w.mark(ciphertext)
    ask = Ask("GA", wallet, ciphertext, 1, height, proof)
    right, signature = ask.bytes, blob(1, wallet.sign(ask.der))
    # A field that is not known, beside the payload and in another order: as proto3 says.
    assert ask.check_decryption(w.node.call(KMS, "Decrypt", number(55, 1) + blob(2, ask.payload) + signature), w.server) == 42
    half = len(ask.payload) // 2
    cases = {
        "payload in two pieces": signature + blob(2, ask.payload) + blob(2, b"", always=True),
        "signature twice": right + signature,
        "a type twice": signature + blob(2, ask.payload + number(2, 1)),
        "an unknown field in the proof": signature + blob(2, ask.payload.replace(
            blob(4, ask.proof_message), blob(4, ask.proof_message + number(9, 1)))),
        "a length of 2 GiB": right + varint(2 << 3 | 2) + varint(1 << 31),
        "a length of 2^63": right + varint(3 << 3 | 2) + varint(1 << 63),
        "cut off": right[:half],
        "a group": right + varint(7 << 3 | 3),
        "garbage": os.urandom(5000),
    }
    for name, request in cases.items():
        code, words = w.node.refused(KMS, "Decrypt", request)
        assert code == "INVALID_ARGUMENT" and "protobuf" in words, f"{name}: {code} {words}"


def test_health_and_reflection_under_both_names(world):
    w = world()
    assert fields(w.node.call("grpc.health.v1.Health", "Check", b"")) == {1: 1}
    for service in (KMS, OWN):
        assert fields(w.node.call("grpc.health.v1.Health", "Check", blob(1, service.encode()))) == {1: 1}
    assert w.node.refused("grpc.health.v1.Health", "Check", blob(1, b"nobody"))[0] == "NOT_FOUND"
    for version in ("v1", "v1alpha"):
        stream = w.node.channel.stream_stream(f"/grpc.reflection.{version}.ServerReflection/ServerReflectionInfo")
        answers = list(stream(iter([blob(7, b"*"), blob(4, KMS.encode()), blob(4, b"nothing.there")]), timeout=10))
        services = [fields(s)[1].decode() for s in fields(fields(answers[0])[6])[1]]
        assert {KMS, OWN} <= set(services)
        file = fields(fields(fields(answers[1])[4])[1])
        assert file[1] == b"ga.proto" and file[2] == b"kms"
        assert fields(fields(answers[2])[7])[1] == 5


def test_statuses_of_the_original_where_they_are_asked_for(world):
    w = world(KMS_DECRYPTION_COMPAT_STATUS="true", KMS_DECRYPTION_MAX_MESSAGE="1MiB")
    ciphertext = vector(U8_04)
    height, proof = w.mark(ciphertext)
    ask = Ask("GA", Wallet(), ciphertext, 1, height, b"")
    assert w.node.refused(KMS, "Decrypt", ask.bytes) == ("ABORTED", "The request failed validation")
    assert w.node.refused(KMS, "Decrypt", os.urandom(100)) == ("ABORTED", "Invalid request")
    assert w.node.refused(KMS, "Decrypt", blob(1, bytes(1024 * 1024))) == ("ABORTED", "Invalid request")


def test_what_the_light_client_loses_comes_back_without_a_restart(world):
    w = world()
    ciphertext = vector(U8_04)
    height, proof = w.mark(ciphertext)
    ask = Ask("GA", Wallet(), ciphertext, 1, height, proof)
    for node in (w.primary, w.witness):
        node.is_down = True
    # A header that is known needs nobody.
    assert ask.check_decryption(w.node.call(KMS, "Decrypt", ask.bytes), w.server) == 42
    height = w.chain.make(2)
    ask = Ask("GA", Wallet(), ciphertext, 1, height, w.chain.proof(height, keccak(ciphertext)))
    assert w.node.refused(KMS, "Decrypt", ask.bytes)[0] == "UNAVAILABLE"
    for node in (w.primary, w.witness):
        node.is_down = False
    w.followed()
    assert ask.check_decryption(w.node.call(KMS, "Decrypt", ask.bytes), w.server) == 42


def test_a_witness_that_shows_another_chain_stops_the_service(world):
    w = world()
    ciphertext = vector(U8_04)
    height, proof = w.mark(ciphertext)
    ask = Ask("GA", Wallet(), ciphertext, 1, height, proof)
    liar = Chain(w.chain.chain_id, w.chain.contract, seed="liar")
    liar.make(height + 1)
    w.witness.chain = liar
    w.chain.make(1)
    eventually(lambda: w.status().get(4), 30, "the conflict")
    code, words = w.node.refused(KMS, "Decrypt", ask.bytes)
    assert code == "FAILED_PRECONDITION" and w.witness.url in words, words
    assert fields(w.node.call("grpc.health.v1.Health", "Check", b"")) == {1: 2}


def test_a_primary_that_forges_headers_is_not_followed(world):
    w = world()
    ciphertext = vector(U8_04)
    handle = keccak(ciphertext)
    forger = Chain(w.chain.chain_id, w.chain.contract, seed="forger")
    forger.allow(handle)
    forger.make(w.chain.height + 3)
    for node in (w.primary, w.witness):
        node.chain = forger
    height = forger.height
    ask = Ask("GA", Wallet(), ciphertext, 1, height, forger.proof(height, handle))
    assert w.node.refused(KMS, "Decrypt", ask.bytes)[0] in ("FAILED_PRECONDITION", "UNAVAILABLE")


def test_a_half_changed_validator_set_is_followed_through_the_headers_between(world):
    w = world()
    ciphertext = vector(U8_04)
    for node in (w.primary, w.witness):
        node.is_down = True
    for step in range(4):
        kept = w.chain.validators[:2]
        following = sorted(kept + w.chain.set(b"new%d" % step, [10, 10]), key=lambda v: (-v.power, v.address))
        w.chain.make(1, next_validators=following)
        w.chain.make(1)
    handle = keccak(ciphertext)
    w.chain.allow(handle)
    height = w.chain.make(2)
    for node in (w.primary, w.witness):
        node.is_down = False
    w.followed()
    ask = Ask("GA", Wallet(), ciphertext, 1, height, w.chain.proof(height, handle))
    assert ask.check_decryption(w.node.call(KMS, "Decrypt", ask.bytes), w.server) == 42


def test_a_light_proxy_on_this_machine_is_believed_where_the_operator_says_so(world):
    w = world(KMS_DECRYPTION_LIGHT_CLIENT="proxy")
    ciphertext = vector(U8_04)
    height, proof = w.mark(ciphertext)
    ask = Ask("GA", Wallet(), ciphertext, 1, height, proof)
    assert ask.check_decryption(w.node.call(KMS, "Decrypt", ask.bytes), w.server) == 42


def test_keys_are_disabled_enabled_and_destroyed_with_a_record_and_published_ones_are_refused(world):
    w = world()
    ciphertext = vector(U8_04)
    height, proof = w.mark(ciphertext)
    ask = Ask("GA", Wallet(), ciphertext, 1, height, proof)
    kmsd = w.installation
    assert {k["name"] for k in kmsd.run_json("decryption", "key", "list")} == {"small", "big"}
    assert kmsd.run("decryption", "key", "disable", "small", check=False).returncode == 69, "the daemon has the home"
    for verb, state, code in (("disable", "disabled", "FAILED_PRECONDITION"), ("enable", "enabled", None),
                              ("destroy", "destroyed", "FAILED_PRECONDITION")):
        w.daemon.terminate()
        kmsd.run("decryption", "key", verb, "small", *(["--yes"] if verb == "destroy" else []))
        w.start()
        assert kmsd.run_json("decryption", "key", "show", "small")[0]["state"] == state
        if code:
            assert w.node.refused(KMS, "Decrypt", ask.bytes)[0] == code
        else:
            assert ask.check_decryption(w.node.call(KMS, "Decrypt", ask.bytes), w.server) == 42
    w.daemon.terminate()
    records = kmsd.run("audit", "tail", "--lines", "1000", "--output", "json").stdout
    for word in ("decryption-key-import", "decryption-key-disable", "decryption-key-enable", "decryption-key-destroy", "decrypt"):
        assert word in records, word
    file = kmsd.home / "again.key"
    file.write_bytes(vector("t04_key/client_key.bin"))
    file.chmod(0o600)
    refused = kmsd.run("decryption", "key", "import", "--name", "third", "--format", "raw-0.4", file, check=False)
    assert refused.returncode == 1 and "public" in refused.stderr
    assert kmsd.run("decryption", "key", "enable", "small", check=False).returncode == 1, "destroyed is for good"


def test_no_ciphertext_key_or_value_in_the_log(world):
    w = world(KMS_LOG_LEVEL="debug")
    ciphertext = vector("t061_small/FheUint32_3735928559.bin")
    w.daemon.terminate()
    w.start(KMS_DECRYPTION_FORMAT="raw-0.6")
    height, proof = w.mark(ciphertext)
    ask = Ask("GA", Wallet(), ciphertext, 3, height, proof)
    assert ask.check_decryption(w.node.call(KMS, "Decrypt", ask.bytes), w.server) == 3735928559
    w.daemon.terminate()
    log = w.daemon.log() + w.installation.run("audit", "tail", "--lines", "1000", "--output", "json").stdout
    for secret in ("3735928559", "deadbeef", ciphertext[100:132].hex(), base64.b64encode(ciphertext[99:129]).decode()):
        assert secret not in log


def test_the_front_is_off_unless_it_is_asked_for_and_half_a_setting_is_refused(own):
    daemon = own.start()
    assert "decryption API" not in daemon.log()
    daemon.terminate()
    base = {"KMS_DECRYPTION_HOST": "127.0.0.1:0"}
    full = {**base, "KMS_DECRYPTION_CHAIN_ID": "c", "KMS_DECRYPTION_ACL_CONTRACT": "0x" + "11" * 20,
            "KMS_DECRYPTION_RPC": "http://127.0.0.1:1", "KMS_DECRYPTION_WITNESSES": "http://127.0.0.1:2",
            "KMS_DECRYPTION_TRUST": "1:" + "aa" * 32, "KMS_OUTBOUND_ALLOW": "127.0.0.1"}
    assert "decryption-chain-id" in own.refuses_to_start(**base)
    for name, value, words in (
            ("KMS_DECRYPTION_GENERATION", "GC", "GN"), ("KMS_DECRYPTION_PROOF_FORM", "mpt", "eth"), ("KMS_DECRYPTION_HOST", "0.0.0.0:0", "mutual TLS"),
            ("KMS_DECRYPTION_WITNESSES", None, "decryption-witnesses"),
            ("KMS_DECRYPTION_WITNESSES", "http://127.0.0.1:1", "no witness"),
            ("KMS_DECRYPTION_TRUST", "1:abcd", "HEIGHT:HASH"), ("KMS_DECRYPTION_ACL_CONTRACT", "0x11", "40 hexadecimal"),
            ("KMS_OUTBOUND_ALLOW", None, "decryption-rpc"), ("KMS_DECRYPTION_AUTH_CHAIN_ID", "5", "together"),
            ("KMS_DECRYPTION_TRUSTING_PERIOD", "0s", "trusting period")):
        assert words in own.refuses_to_start(**{**full, name: value}), name
    # One node under two spellings.
    for primary, witness in (("https://node.example", "https://NODE.example.:443/"), ("http://127.0.0.1:80/rpc", "http://127.0.0.1/rpc")):
        assert "no witness" in own.refuses_to_start(
            **{**full, "KMS_DECRYPTION_RPC": primary, "KMS_DECRYPTION_WITNESSES": f"https://other.example,{witness}"}), witness


def test_clients_show_certificates_and_their_subjects_are_in_the_records(world, tmp_path):
    authority = Authority(tmp_path / "ca")
    server, client = authority.issue("server", ExtendedKeyUsageOID.SERVER_AUTH), authority.issue("node7")
    stranger = Authority(tmp_path / "other").issue("node7")

    def credentials(pair):
        parts = [Path(path).read_bytes() for path in (authority.certificate, *(reversed(pair) if pair else ()))]
        return grpc.ssl_channel_credentials(*parts)

    w = world(credentials=credentials(client), KMS_TLS_SERVE_CERT=server[0], KMS_TLS_SERVE_KEY=server[1],
              KMS_DECRYPTION_CLIENT_CACERTS=authority.certificate, KMS_BASE_URL="https://127.0.0.1")
    ciphertext = vector(U8_04)
    height, proof = w.mark(ciphertext)
    ask = Ask("GA", Wallet(), ciphertext, 1, height, proof)
    assert ask.check_decryption(w.node.call(KMS, "Decrypt", ask.bytes), w.server) == 42
    itself = Authority(tmp_path / "self", subject="node7")
    expired, other_use = authority.issue("old", days=0.5), authority.issue("web", ExtendedKeyUsageOID.SERVER_AUTH)
    for pair in (None, stranger, (itself.certificate, itself.key), expired, other_use):
        node = Node(w.target, credentials(pair))
        w.nodes.append(node)
        assert node.refused(KMS, "Decrypt", ask.bytes)[0] == "UNAVAILABLE", pair
    plain = Node(w.target)
    w.nodes.append(plain)
    assert plain.refused(KMS, "Decrypt", ask.bytes)[0] == "UNAVAILABLE", "no HTTP/2 in the clear where TLS is spoken"
    w.daemon.terminate()
    records = w.installation.run("audit", "tail", "--lines", "1000", "--output", "json").stdout
    assert re.search(r'"actor":"CN=node7"', records)


def test_a_caller_beyond_his_rate_waits_and_a_message_beyond_the_limit_is_refused(world):
    w = world(KMS_DECRYPTION_RATE="2", KMS_DECRYPTION_MAX_MESSAGE="128KiB")
    ciphertext = vector(U8_04)
    height, proof = w.mark(ciphertext)
    ask = Ask("GA", Wallet(), ciphertext, 1, height, proof)
    eventually(lambda: w.node.refused(KMS, "Decrypt", b"")[0] == "RESOURCE_EXHAUSTED", 20, "the bound", pause=0)
    answer, _ = eventually(lambda: w.answered(ask.bytes), 20, "a turn", pause=0.3)
    assert ask.check_decryption(answer, w.server) == 42
    assert w.node.refused(KMS, "Decrypt", bytes(130 << 10))[0] == "RESOURCE_EXHAUSTED"


def test_gzip_and_deadlines_of_clients(world):
    w = world()
    ciphertext = vector(U8_04)
    height, proof = w.mark(ciphertext)
    ask = Ask("GA", Wallet(), ciphertext, 1, height, proof)
    answer = w.node.call(KMS, "Decrypt", ask.bytes, compression=grpc.Compression.Gzip)
    assert ask.check_decryption(answer, w.server) == 42
    assert w.node.refused(KMS, "Decrypt", ask.bytes, timeout=0)[0] == "DEADLINE_EXCEEDED"
    assert ask.check_decryption(w.node.call(KMS, "Decrypt", ask.bytes, timeout=1_000_000), w.server) == 42
