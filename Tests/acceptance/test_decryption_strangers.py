"""A full node that shares no line with the others: grpclib in place of grpcio, Google's protobuf in place of our own bytes, messages
made from what the daemon's reflection tells, and proofs in hand-compiled messages of cosmos.ics23.v1 and tendermint.crypto."""
import asyncio
import base64
import json
import re

import pytest
from daemon import ROOT, eventually
from decryption_client import KMS, OWN, Ask, Node, Wallet
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from grpclib.client import Channel, StreamStreamMethod, UnaryUnaryMethod
from grpclib.const import Status
from grpclib.encoding.base import CodecBase
from grpclib.exceptions import GRPCError
from test_decryption import Own, U8_04, vector, world  # noqa: F401
from test_decryption_client import chain  # noqa: F401
from wire import blob, fields

REFLECTION = "grpc.reflection.v1.ServerReflection"
HEALTH = "grpc.health.v1.Health"


class Plain(CodecBase):
    """Messages that were written already."""

    __content_subtype__ = "proto"

    def encode(self, message, message_type):
        return message

    def decode(self, data, message_type):
        return data


def compiled(name, package, messages):
    """Message classes from lines of `number type name`; a capital begins a message, `*` repeats, the rest are scalars."""
    file = descriptor_pb2.FileDescriptorProto(name=name, package=package, syntax="proto3")
    scalars = {"bytes": 12, "string": 9, "int32": 5, "int64": 3}
    for title, lines in messages.items():
        made = file.message_type.add(name=title)
        for line in lines:
            place, kind, field = line.split()
            many, kind = kind.startswith("*"), kind.lstrip("*")
            added = made.field.add(name=field, number=int(place), label=3 if many else 1, type=scalars.get(kind, 11))
            if kind not in scalars:
                added.type_name = f".{package}.{kind}"
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return {title: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{package}.{title}")) for title in messages}


# cosmos/ics23/v1/proofs.proto, as far as an existence proof needs it; the enumerations are numbers on the wire.
ICS23 = compiled("proofs.proto", "cosmos.ics23.v1", {
    "LeafOp": ["1 int32 hash", "2 int32 prehash_key", "3 int32 prehash_value", "4 int32 length", "5 bytes prefix"],
    "InnerOp": ["1 int32 hash", "2 bytes prefix", "3 bytes suffix"],
    "ExistenceProof": ["1 bytes key", "2 bytes value", "3 LeafOp leaf", "4 *InnerOp path"],
    "CommitmentProof": ["1 ExistenceProof exist"],
})
# tendermint/crypto/proof.proto.
TENDERMINT = compiled("proof.proto", "tendermint.crypto", {
    "ProofOp": ["1 string type", "2 bytes key", "3 bytes data"], "ProofOps": ["1 *ProofOp ops"],
})


def restated(proof):
    """The double's proof, written once more by Google's protobuf: what it means must come through, field by field."""
    ops = TENDERMINT["ProofOps"].FromString(proof)
    out = TENDERMINT["ProofOps"]()
    for op in ops.ops:
        exist = ICS23["CommitmentProof"].FromString(op.data).exist
        made = ICS23["CommitmentProof"]()
        made.exist.key, made.exist.value = exist.key, exist.value
        made.exist.leaf.CopyFrom(exist.leaf)
        for step in exist.path:
            made.exist.path.add(hash=step.hash, prefix=step.prefix, suffix=step.suffix)
        out.ops.add(type=op.type, key=op.key, data=made.SerializeToString(deterministic=True))
    assert out.ops[0].type == "ics23:iavl" and len(ICS23["CommitmentProof"].FromString(out.ops[0].data).exist.path) > 0
    return out.SerializeToString(deterministic=True)


class Stranger:
    """A client of one daemon, all of whose messages come from what the daemon shows of itself."""

    def __init__(self, target):
        host, port = target.split(":")
        self.channel = Channel(host, int(port), codec=Plain())
        self.pool = descriptor_pool.DescriptorPool()

    async def learn(self, *symbols):
        """Asks the reflection service for the files of symbols."""
        ask = StreamStreamMethod(self.channel, f"/{REFLECTION}/ServerReflectionInfo", bytes, bytes)
        async with ask.open(timeout=30) as stream:
            for symbol in symbols:
                await stream.send_message(blob(4, symbol.encode()), end=symbol == symbols[-1])
            for _ in symbols:
                answer = fields(await stream.recv_message())
                self.pool.AddSerializedFile(fields(answer[4])[1])
        return self

    def message(self, name):
        return message_factory.GetMessageClass(self.pool.FindMessageTypeByName(name))

    async def call(self, service, method, request, timeout=60):
        """A unary call: the answer's bytes and its message. Input and output are the service's own."""
        described = self.pool.FindServiceByName(service).FindMethodByName(method)
        assert isinstance(request, message_factory.GetMessageClass(described.input_type))
        call = UnaryUnaryMethod(self.channel, f"/{service}/{method}", bytes, bytes)
        answer = await call(request.SerializeToString(), timeout=timeout)
        read = message_factory.GetMessageClass(described.output_type).FromString(answer)
        assert read.ListFields() and read.SerializeToString() == answer, "nothing that the protos do not say"
        return answer, read

    async def refused(self, service, method, request):
        try:
            await self.call(service, method, request)
        except GRPCError as error:
            return error.status, error.message
        raise AssertionError(f"{method} was answered")


def played(world, body):
    """Runs a client to its end, and ends its connection."""
    async def run():
        stranger = Stranger(world.target)
        try:
            return await asyncio.wait_for(body(stranger), 240)
        finally:
            stranger.channel.close()

    return asyncio.run(run())


def legacy(stranger, ask):
    """A question of GA or GB in its own messages, filled member by member."""
    w, ga = ask.wallet, ask.generation == "GA"
    if ask.generation == "GB" and ask.purpose == "Decrypt":
        request = stranger.message("kms.DecryptionRequest")(
            version=1, servers_needed=1, randomness=ask.randomness, fhe_type=ask.fhe_type, ciphertext=ask.ciphertext)
        request.key_handle = ask.key
        request.proof.MergeFromString(ask.proof_message)
        return request
    request = stranger.message(f"kms.{'Decryption' if ask.purpose == 'Decrypt' else 'Reencryption'}Request")()
    request.signature = w.sign(ask.der)
    payload = request.payload
    payload.verification_key, payload.ciphertext, payload.randomness = w.verification_field, ask.ciphertext, ask.randomness
    payload.fhe_type = ask.fhe_type
    if ask.purpose == "Reencrypt":
        payload.enc_key = w.encryption_field
        request.user_auth = ask.authorization
    if ga:
        payload.proof.height, payload.proof.merkle_patricia_proof = ask.height, ask.proof
    else:
        payload.version, payload.servers_needed, payload.key_handle = 1, 1, ask.key
        request.proof.MergeFromString(ask.proof_message)
    return request


@pytest.mark.parametrize("generation", ["GA", "GB"])
def test_grpclib_and_googles_protobuf_play_the_whole_diagram_of_a_generation(world, generation):
    w = world(generation)
    key = "" if generation == "GA" else "small"
    name, fhe_type, value = ((U8_04, 1, 42) if generation == "GA" else ("t061_small/FheUint32_3735928559.bin", 4, 3735928559))
    ciphertext, wallet = vector(name), Wallet()
    height, proof = w.mark(ciphertext)
    public = Ask(generation, wallet, ciphertext, fhe_type, height, restated(proof), key=key)
    height, proof = w.mark(ciphertext, wallet.address)
    boxed = Ask(generation, wallet, ciphertext, fhe_type, height, restated(proof), "Reencrypt", key, wallet.authorization())

    async def play(stranger):
        await stranger.learn(KMS, HEALTH)
        assert (await stranger.call(HEALTH, "Check", stranger.message("grpc.health.v1.HealthCheckRequest")(service=KMS)))[1].status == 1
        answer, read = await stranger.call(KMS, "Decrypt", legacy(stranger, public))
        assert public.check_decryption(answer, w.server) == value and read.payload.digest == public.digest
        # A deadline beyond what the grammar of grpc-timeout has digits for.
        answer, _ = await stranger.call(KMS, "Decrypt", legacy(stranger, public), timeout=12_345_678_901)
        assert public.check_decryption(answer, w.server) == value
        answer, read = await stranger.call(KMS, "Reencrypt", legacy(stranger, boxed))
        assert boxed.check_reencryption(answer, w.server) == value and read.digest == boxed.digest
        # Somebody else's authorisation, a proof that is not for everybody, no proof.
        spoilt = legacy(stranger, boxed)
        spoilt.user_auth = Wallet().authorization()
        assert (await stranger.refused(KMS, "Reencrypt", spoilt))[0] == Status.PERMISSION_DENIED
        for wrong in (boxed.proof, b""):
            other = Ask(generation, wallet, ciphertext, fhe_type, boxed.height, wrong, key=key)
            assert (await stranger.refused(KMS, "Decrypt", legacy(stranger, other)))[0] == Status.PERMISSION_DENIED
        # Many at once on one connection.
        answers = await asyncio.gather(*(stranger.call(KMS, "Decrypt", legacy(stranger, public)) for _ in range(20)))
        assert {public.check_decryption(answer, w.server) for answer, _ in answers} == {value}

    played(w, play)


def test_grpclib_and_googles_protobuf_play_the_whole_diagram_of_the_own_service(world):
    w = world()
    ciphertext, wallet = vector("t061_big/FheUint8_42_safe.bin"), Wallet()
    height, proof = w.mark(ciphertext)
    public = Own(ciphertext, 2, height, restated(proof), "big", format=3)
    height, proof = w.mark(ciphertext, wallet.address)
    boxed = Own(ciphertext, 2, height, restated(proof), "big", 3, wallet, wallet.authorization())

    async def play(stranger):
        await stranger.learn(OWN)

        def written(ask):
            package = "kmsd.decryption.v1"
            request = stranger.message(f"{package}.{ask.method}Request")(
                request_id=ask.id, key_id=ask.key, ciphertext=ask.ciphertext, fhe_type=ask.fhe_type, format=ask.format)
            request.proof.height, request.proof.proof_ops = ask.height, ask.proof
            if ask.wallet:
                request.enc_key = bytes(ask.wallet.box.public_key)
                request.user_auth.MergeFromString(ask.authorization)
            return request

        for ask in (public, boxed):
            answer, read = await stranger.call(OWN, ask.method, written(ask))
            assert ask.check(answer, w, "big") == 42 and read.request_digest == ask.digest
            assert (await stranger.call(OWN, ask.method, written(ask)))[0] == answer, "idempotent"
        again = written(public)
        again.key_id = "small"
        assert (await stranger.refused(OWN, "PublicDecrypt", again))[0] == Status.ALREADY_EXISTS
        _, status = await stranger.call(OWN, "GetStatus", stranger.message("kmsd.decryption.v1.GetStatusRequest")())
        assert status.result_key == w.server and {key.key_id for key in status.keys} == {"small", "big"}

    played(w, play)


def recorded(name):
    return json.loads((ROOT / "Tests" / "DecryptionTests" / "Vectors" / name).read_text())


@pytest.mark.parametrize("generation", ["GA", "GB"])
def test_messages_that_other_programs_recorded_are_read_bit_for_bit(world, generation):
    """What protobuf, asn1tools and coincurve wrote gets as far as its height, which is of no chain here: so its signature held over
    the DER that the daemon wrote once more. One bit changed in what is signed, or in the signature, ends it before."""
    w = world(generation, KMS_DECRYPTION_REQUIRE_USER_AUTH="false")
    signed = 0
    for case in recorded(f"strangers-grpc-{generation.lower()}.json")["cases"]:
        if "answer" in case["method"]:
            continue
        request = bytes.fromhex(case["bytes"])
        if case["method"] == "GetAllKeys":
            assert b"small" in w.node.call(KMS, case["method"], request)
            continue
        code, words = w.node.refused(KMS, case["method"], request)
        if "expect" in case:
            # The number was written into a request that was signed before; whoever looks at the signature first says so.
            assert code in (case["expect"], "UNAUTHENTICATED"), (case["name"], code, words)
        elif "request_der" not in case:
            assert code in ("NOT_FOUND", "UNIMPLEMENTED"), (case["name"], code, words)
        elif "two pieces" in case["name"]:
            assert code == "INVALID_ARGUMENT" and "protobuf" in words, (case["name"], code, words)
        elif "100 and 101" in case["name"]:
            # Of the signature in front of them nothing is wrong.
            assert code in ("INVALID_ARGUMENT", "PERMISSION_DENIED") and "bad-signature" not in words, (code, words)
        elif generation == "GB" and case["method"] == "Decrypt":
            assert code in ("INVALID_ARGUMENT", "PERMISSION_DENIED", "NOT_FOUND"), (case["name"], code, words)
        else:
            assert code in ("FAILED_PRECONDITION", "NOT_FOUND", "PERMISSION_DENIED", "INVALID_ARGUMENT"), (case["name"], code, words)
            assert "signature" not in words and "DER" not in words, (case["name"], code, words)
            outer = fields(request)
            signature = outer[1][:-1] + bytes([outer[1][-1] ^ 1])
            assert w.node.refused(KMS, case["method"], request.replace(outer[1], signature))[0] == "UNAUTHENTICATED", case["name"]
            ciphertext = max((part for part in fields(outer[2]).values() if isinstance(part, bytes)), key=len)
            changed = request.replace(ciphertext, bytes([ciphertext[0] ^ 1]) + ciphertext[1:])
            assert changed != request
            assert w.node.refused(KMS, case["method"], changed)[0] in ("UNAUTHENTICATED", "INVALID_ARGUMENT"), case["name"]
            signed += 1
    assert signed >= 4 and w.daemon.is_running()


def test_a_chain_that_was_written_down_in_2024_is_followed_to_its_recorded_head(own, chain, tmp_path):
    """Half of its validators change on the way: the last header is reached over those between, and its hash is the recorded one."""
    written = json.loads((ROOT / "Tests" / "LightClientTests" / "Vectors" / "chain.json").read_text())
    tape = tmp_path / "tape"
    tape.mkdir()
    heights = sorted(map(int, written["commit"]))
    for height in heights:
        (tape / f"commit-{height}.json").write_text(json.dumps(written["commit"][str(height)]))
    for height, answer in written["validators"].items():
        (tape / f"validators-{height}.json").write_text(json.dumps(answer))
    last = written["commit"][str(heights[-1])]["result"]["signed_header"]
    (tape / "status.json").write_text(json.dumps({"jsonrpc": "2.0", "id": -1, "result": {
        "node_info": {"network": written["chain_id"]}, "sync_info": {
            "latest_block_height": str(heights[-1]), "latest_block_hash": last["commit"]["block_id"]["hash"],
            "latest_block_time": last["header"]["time"], "catching_up": False}}}))
    played_back = chain("played", "--recorded", str(tape))
    key = tmp_path / "big.key"
    key.write_bytes(vector("t061_big/client_key.bin"))
    key.chmod(0o600)
    own.run("decryption", "key", "import", "--name", "big", "--format", "raw-0.6", "--published", key)
    daemon = own.start(
        KMS_DECRYPTION_HOST="127.0.0.1:0", KMS_DECRYPTION_CHAIN_ID=written["chain_id"], KMS_DECRYPTION_POLL="100ms",
        KMS_DECRYPTION_RPC=played_back.rpc, KMS_DECRYPTION_WITNESSES=played_back.witness, KMS_OUTBOUND_ALLOW="127.0.0.1",
        KMS_DECRYPTION_ACL_CONTRACT="0x" + written["acl"]["contract"],
        KMS_DECRYPTION_TRUST=f"{written['trust']['height']}:{written['trust']['hash']}", KMS_DECRYPTION_TRUSTING_PERIOD="87600h",
        KMS_DECRYPTION_MAX_HEAD_AGE="0")
    found, _ = eventually(lambda: re.search(r"port=(\d+) .*decryption API listens", daemon.log()), 60, "the API")
    node = Node(f"127.0.0.1:{found[1]}")
    try:
        eventually(lambda: fields(node.call(OWN, "GetStatus", b"")).get(2) == heights[-1], 60, "the recorded head")
        # Its proofs are of ciphertexts that nobody has any more: of another one none of them is taken.
        for proof in written["proofs"]:
            ask = Own(vector("t061_big/FheUint8_42_safe.bin"), 2, proof["height"], base64.b64decode(proof["proof_ops_base64"]),
                      "big", format=3)
            code = node.refused(OWN, "PublicDecrypt", ask.bytes)[0]
            # Those that were right then are whole, and of something else.
            assert code == "PERMISSION_DENIED" or proof["expect"] == "reject" and code == "INVALID_ARGUMENT", (proof["name"], code)
    finally:
        node.close()
