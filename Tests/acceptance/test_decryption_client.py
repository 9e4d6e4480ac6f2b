"""The verbs of `kmsd decryption` that play full node and wallet, and the chain of `kmsd dev chain`, against the built daemon.

What the verbs make is read by other people's software (grpcio, eth-account, coincurve, PyNaCl), and the other way round.
"""
import base64
import json
import os
import re
import stat
import subprocess
import time
import urllib.request

import pytest
from coincurve import PrivateKey
from daemon import BINARY, ROOT, eventually
from decryption_client import DOMAIN, KMS, OWN, Ask, Node, Wallet, address, verify
from eth_account import Account
from eth_account.messages import encode_typed_data
from nacl.public import PrivateKey as BoxKey
from test_decryption import Own, length_fields
from wire import blob, der_octets, fields, keccak, message, number, sha3

VECTORS = ROOT / "Tests" / "TFHETests" / "Vectors"
U8 = VECTORS / "t061_small" / "FheUint8_255.bin"
U32 = VECTORS / "t061_small" / "FheUint32_3735928559.bin"
U8_04 = VECTORS / "t04_layout" / "FheUint8_42.bin"
BOOL = VECTORS / "t061_big" / "FheBool_true.bin"


class TrialChain:
    """`kmsd dev chain` at work."""

    def __init__(self, path, *arguments):
        self.path = path
        path.mkdir()
        self.out = path / "out"
        with open(self.out, "wb") as out:
            self.process = subprocess.Popen(
                [BINARY, "dev", "chain", "serve", "--port", "0", "--witness-port", "0", "--env", path / "chain.env", *arguments],
                stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT)
        eventually(self.is_ready, 60, "the trial chain")
        ports = re.search(r"node (http://127\.0\.0\.1:\d+), witness (http://127\.0\.0\.1:\d+)", self.out.read_text())
        self.rpc, self.witness = ports.groups()
        self.settings = {}
        if (path / "chain.env").exists():
            lines = re.findall(r"^export (\w+)=(.*)$", (path / "chain.env").read_text(), re.MULTILINE)
            self.settings = dict(lines)

    def is_ready(self):
        assert self.process.poll() is None, self.out.read_text()
        return "chain ready" in self.out.read_text().splitlines()

    def ask(self, path, node=None):
        with urllib.request.urlopen((node or self.rpc) + path, timeout=40) as answer:
            return json.load(answer)

    @property
    def height(self):
        return int(self.ask("/status")["result"]["sync_info"]["latest_block_height"])

    def end(self):
        self.process.terminate()
        try:
            return self.process.wait(60)
        finally:
            self.process.kill()
            self.process.wait()


class Trial:
    """A daemon that follows a trial chain, and people who use the verbs."""

    def __init__(self, installation, path, generation="GA", **more):
        self.installation, self.path = installation, path
        self.chain = TrialChain(path / "chain", "--block-time", "0")
        for name, vector in (("small", "t061_small"), ("big", "t061_big")):
            file = path / f"{name}.key"
            file.write_bytes((VECTORS / vector / "client_key.bin").read_bytes())
            file.chmod(0o600)
            installation.run("decryption", "key", "import", "--name", name, "--format", "raw-0.6", "--published", file)
        self.settings = {**self.chain.settings, "KMS_DECRYPTION_HOST": "127.0.0.1:0", "KMS_DECRYPTION_POLL": "100ms",
                         "KMS_DECRYPTION_GENERATION": generation, "KMS_DECRYPTION_KEY": "small", **more}
        self.start()

    def start(self):
        self.daemon = self.installation.start(**self.settings)
        eventually(lambda: re.search(r"port=(\d+) .*decryption API listens", self.daemon.log()), 30, "the API")
        self.target = "127.0.0.1:" + re.search(r"port=(\d+) .*decryption API listens", self.daemon.log())[1]
        eventually(lambda: self.run("decryption", "status", check=False).returncode == 0, 30, "the head of the chain")
        self.key = json.loads(self.run("decryption", "status", "--output", "json").stdout)["result_key"]
        self.server = bytes.fromhex(self.key.split(":")[1])

    def run(self, *arguments, check=True, codes=(0,), **more):
        """A verb, in a newcomer's environment: nothing but what the chain's file says, and where the daemon is."""
        kept = {"PATH": os.environ["PATH"], "HOME": str(self.path)}
        environment = {**kept, **self.chain.settings, "KMS_DECRYPTION_HOST": self.target, **more}
        done = subprocess.run([BINARY, *map(str, arguments)], env=environment, cwd=self.path, text=True, capture_output=True,
                              timeout=300, stdin=subprocess.DEVNULL)
        if check:
            assert done.returncode in codes, f"{arguments}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    def refused(self, *arguments, code, **more):
        done = self.run(*arguments, codes=(code,), **more)
        assert not done.stdout, done.stdout
        return done.stderr

    def request(self, ciphertext, out, *more, type="u8", service="own", **settings):
        which = {"own": ("--format", "raw-0.6", "--key", "small"), "GB": ("--key", "small"), "GA": ()}[service]
        return self.run("decryption", "request", "--service", service, "--type", type, *which, "--out", out, *more, ciphertext,
                        **settings)

    def answer(self, out):
        """Question and answer as they were on the wire."""
        file = json.loads((self.path / out).read_text())
        return base64.b64decode(file["question"]), base64.b64decode(file["answer"])

    def wallet(self, name):
        """A wallet of `kmsd decryption wallet` for other people's libraries."""
        self.run("decryption", "wallet", name)
        wallet = Wallet()
        wallet.box = BoxKey(bytes.fromhex((self.path / name / "enc.key").read_text()))
        wallet.account = Account.from_key((self.path / name / "account.key").read_text().strip())
        self.run("decryption", "permit", "--wallet", name, "--out", f"{name}.json")
        return wallet

    def behave(self, behaviour, node="node"):
        self.run("dev", "chain", "behave", behaviour, "--node", node)

    def end(self):
        self.chain.end()


@pytest.fixture
def trial(own, tmp_path):
    trials = []

    def make(*arguments, **more):
        (tmp_path / "trial").mkdir()
        trials.append(Trial(own, tmp_path / "trial", *arguments, **more))
        return trials[-1]

    yield make
    for made in trials:
        made.end()


@pytest.fixture
def chain(tmp_path):
    chains = []

    def make(name, *arguments):
        chains.append(TrialChain(tmp_path / name, *arguments))
        return chains[-1]

    yield make
    for made in chains:
        made.end()


def split(answer):
    """The fields of an answer of the own service."""
    found = fields(answer)
    return found, fields(found[4]), fields(found[5])


def test_a_newcomer_sees_the_whole_diagram_and_strangers_confirm_it(trial):
    t = trial()
    wallet = t.wallet("alice")
    # For everybody.
    t.run("dev", "chain", "allow", U32)
    t.request(U32, "public.json", type="u32")
    shown = t.run("decryption", "verify", "--result-key", t.key, "public.json").stdout.splitlines()
    assert shown[0].startswith("valid (digest, signature): 0x" + keccak(U32.read_bytes()).hex()) and shown[1] == "3735928559"
    question, answer = t.answer("public.json")
    asked = fields(question)
    height = fields(asked[6])[1]
    ask = Own(U32.read_bytes(), 4, height, fields(asked[6])[2], "small")
    ask.id = asked[1]
    found, verified, signature = split(answer)
    header = t.chain.ask(f"/commit?height={height}")["result"]["signed_header"]
    assert verified[3].hex().upper() == header["commit"]["block_id"]["hash"]
    assert verified[4].hex().upper() == header["header"]["app_hash"]
    body = length_fields("kmsd/decryption/answer/v1", "public-decrypt", ask.digest, "small", keccak(ask.ciphertext), 4, found[3],
                         b"", "kmsd-trial-1", height, verified[3], verified[4])
    verify(t.server, length_fields("kmsd/result/v1", body), signature[3])
    assert int.from_bytes(found[3], "little") == 3735928559
    # For the wallet.
    assert "not-marked" in json.loads(t.run(
        "decryption", "request", "--type", "u8", "--format", "raw-0.6", "--key", "small", "--permit", "alice.json", "--out",
        "none.json", "--output", "json", U8, codes=(77,)).stdout)["error"]["code"]
    t.run("dev", "chain", "allow", "--permit", "alice.json", U8)
    t.request(U8, "boxed.json", "--permit", "alice.json")
    assert t.run("decryption", "open", "--wallet", "alice", "--result-key", t.key, "boxed.json").stdout == "255\n"
    t.run("decryption", "open", "--wallet", "alice", "--result-key", t.key, "--to", "value", "boxed.json")
    assert (t.path / "value").read_text() == "255\n" and stat.S_IMODE((t.path / "value").stat().st_mode) == 0o600
    question, answer = t.answer("boxed.json")
    found, _, _ = split(answer)
    value, fhe_type, digest = wallet.open(found[3], t.server, wallet.address)
    assert (int.from_bytes(value, "little"), fhe_type, digest) == (255, 2, found[1])
    shown = t.run("decryption", "verify", "--result-key", t.key, "boxed.json").stdout
    assert "signature" in shown and "255" not in shown


@pytest.mark.parametrize("generation", ["GA", "GB"])
def test_the_generations_are_asked_verified_and_opened_and_strangers_confirm_it(trial, generation):
    t = trial(generation, **({} if generation == "GB" else {"KMS_DECRYPTION_FORMAT": "raw-0.6"}))
    number_of = {"GA": 1, "GB": 2}[generation]
    wallet = t.wallet("alice")
    requester = PrivateKey(os.urandom(32))
    (t.path / "requester.key").write_text("0x" + requester.to_hex() + "\n")
    (t.path / "requester.key").chmod(0o600)
    wallet.key = requester
    t.run("dev", "chain", "allow", U8)
    more = ("--requester", "requester.key")
    t.request(U8, "public.json", *(more if generation == "GA" else ()), service=generation)
    assert t.run("decryption", "verify", "--result-key", t.key, "public.json").stdout.endswith("\n255\n")
    t.run("dev", "chain", "allow", "--permit", "alice.json", U8)
    t.request(U8, "boxed.json", *more, "--permit", "alice.json", service=generation)
    assert t.run("decryption", "open", "--wallet", "alice", "--result-key", t.key, "boxed.json").stdout == "255\n"
    for out, purpose in (("public.json", "Decrypt"), ("boxed.json", "Reencrypt")):
        question, answer = t.answer(out)
        outer = fields(question)
        if generation == "GA":
            payload = fields(outer[2])
            at = 5 if purpose == "Reencrypt" else 4
            proof, randomness = fields(payload[at]), payload[at + 1]
        else:
            proof = fields(outer[102])
            randomness = fields(outer[2])[4] if purpose == "Reencrypt" else outer[3]
        ask = Ask(generation, wallet, U8.read_bytes(), number_of, proof[1], proof[2], purpose,
                  "small" if generation == "GB" else "")
        ask.randomness = randomness
        check = ask.check_decryption if purpose == "Decrypt" else ask.check_reencryption
        assert check(answer, t.server) == 255
    # The other generation is another service under the same name, or none.
    other = {"GA": "GB", "GB": "GA"}[generation]
    done = t.run("decryption", "request", "--service", other, "--type", "u8", *(("--key", "small") if other == "GB" else ()),
                 "--out", "other.json", U8, check=False)
    assert done.returncode != 0 and not (t.path / "other.json").exists()


def test_a_permit_is_what_ethereum_libraries_sign_and_theirs_is_taken(trial):
    t = trial()
    wallet = t.wallet("alice")
    permit = json.loads((t.path / "alice.json").read_text())
    assert bytes.fromhex(permit["account"]) == wallet.address
    assert bytes.fromhex(permit["enc_key"]) == bytes(wallet.box.public_key)
    typed = {
        "types": {
            "EIP712Domain": [{"name": "name", "type": "string"}, {"name": "version", "type": "string"},
                             {"name": "chainId", "type": "uint256"}, {"name": "verifyingContract", "type": "address"}],
            "Reencrypt": [{"name": "publicKey", "type": "bytes"}]},
        "primaryType": "Reencrypt", "domain": DOMAIN, "message": {"publicKey": bytes(wallet.box.public_key)}}
    signature = fields(bytes.fromhex(permit["user_auth"]))[7]
    assert Account.recover_message(encode_typed_data(full_message=typed), signature=signature) == wallet.account.address
    # eth-account's own, of both schemes, by the verbs.
    t.run("dev", "chain", "allow", "--account", permit["account"], U8)
    for name, authorization in (("one", wallet.authorization()), ("two", wallet.permit(int(time.time()) - 10, 1))):
        theirs = {**permit, "user_auth": authorization.hex()}
        (t.path / f"{name}.json").write_text(json.dumps(theirs))
        t.request(U8, f"{name}.answer", "--permit", f"{name}.json")
        assert t.run("decryption", "open", "--wallet", "alice", "--result-key", t.key, f"{name}.answer").stdout == "255\n"
    # A permit with an end, by the verbs.
    t.run("decryption", "permit", "--wallet", "alice", "--days", "1", "--for-contract", t.chain.settings["KMS_DECRYPTION_ACL_CONTRACT"],
          "--out", "days.json")
    t.request(U8, "days.answer", "--permit", "days.json")
    assert t.run("decryption", "open", "--wallet", "alice", "--result-key", t.key, "days.answer").stdout == "255\n"
    # Another domain's is refused, with what was found.
    t.run("decryption", "permit", "--wallet", "alice", "--auth-chain-id", "9001", "--out", "elsewhere.json")
    words = t.refused("decryption", "request", "--type", "u8", "--format", "raw-0.6", "--key", "small", "--permit", "elsewhere.json",
                      "--out", "no.json", U8, code=77)
    assert "chain 9001" in words and "chain 9000" in words


def test_answers_that_others_fetched_are_verified_and_opened(trial):
    t = trial()
    wallet = t.wallet("alice")
    account = "0x" + wallet.address.hex()
    t.run("dev", "chain", "allow", U8)
    t.run("dev", "chain", "allow", "--account", account, U8)
    node = Node(t.target)
    for number_of, (purpose, ask_for) in enumerate((("decrypt", None), ("reencrypt", wallet))):
        height = t.chain.height
        key = t.chain.ask(f"/abci_query?path=%22/store/evm/key%22&data=0x{store_key(t, U8, ask_for).hex()}&height={height - 1}&prove=true")
        ops = key["result"]["response"]["proofOps"]["ops"]
        proof = message(*(blob(1, message(blob(1, o["type"].encode()), blob(2, base64.b64decode(o["key"])),
                                          blob(3, base64.b64decode(o["data"])))) for o in ops))
        ask = Own(U8.read_bytes(), 2, height, proof, "small", wallet=ask_for,
                  authorization=wallet.authorization() if ask_for else b"")
        answer = node.call(OWN, ask.method, ask.bytes)
        (t.path / f"{purpose}.json").write_text(json.dumps({
            "kmsd": "decryption-answer/v1", "service": "own", "purpose": purpose,
            "question": base64.b64encode(ask.bytes).decode(), "answer": base64.b64encode(answer).decode()}))
        # The same proof from a file.
        (t.path / f"{purpose}.proof").write_bytes(proof)
        t.request(U8, f"{purpose}.answer", "--proof", f"{purpose}.proof", "--height", height,
                  *(("--permit", "alice.json") if ask_for else ()))
    node.close()
    assert t.run("decryption", "verify", "--result-key", t.key, "decrypt.json").stdout.endswith("\n255\n")
    assert t.run("decryption", "open", "--wallet", "alice", "--result-key", t.key, "reencrypt.json").stdout == "255\n"


def store_key(t, ciphertext, wallet=None):
    """Where the contract has a permission, by our own arithmetic."""
    base = int("a688f31953c2015baaf8c0a488ee1ee22eb0e05273cc1fd31ea4cbee42febc00", 16)
    handle = keccak(ciphertext.read_bytes())
    slot = (keccak(bytes(12) + wallet.address + keccak(handle + base.to_bytes(32, "big"))) if wallet
            else keccak(handle + (base + 1).to_bytes(32, "big")))
    return b"\x02" + bytes.fromhex(t.chain.settings["KMS_DECRYPTION_ACL_CONTRACT"][2:]) + slot


def test_an_answer_that_was_changed_is_refused_whatever_was_changed(trial):
    t = trial()
    t.wallet("alice")
    t.wallet("bob")
    t.run("dev", "chain", "allow", U8)
    t.run("dev", "chain", "allow", "--permit", "alice.json", U8)
    t.request(U8, "public.json")
    t.request(U8, "boxed.json", "--permit", "alice.json")
    for out, purpose, verb in (("public.json", "decrypt", ("verify",)), ("boxed.json", "reencrypt", ("open", "--wallet", "alice"))):
        file = json.loads((t.path / out).read_text())
        for part in ("question", "answer"):
            whole = base64.b64decode(file[part])
            # Ends, middles, and every 97th of what is short.
            for at in sorted({2, 40, len(whole) // 2, len(whole) - 3, *range(5, min(len(whole), 600), 97)}):
                spoilt = bytearray(whole)
                spoilt[at] ^= 1
                (t.path / "spoilt.json").write_text(json.dumps({**file, part: base64.b64encode(spoilt).decode()}))
                done = t.run("decryption", *verb, "--result-key", t.key, "spoilt.json", check=False)
                assert done.returncode in (1, 2) and not done.stdout, (out, part, at, done.stdout)
        # Another daemon's key, another curve's, no key.
        stranger = PrivateKey(os.urandom(32)).public_key.format().hex()
        assert "result key" in t.refused("decryption", *verb, "--result-key", "ES256K:" + stranger, out, code=2)
        for wrong in ("ES256:" + t.key[7:], t.key[7:], "ES256K:02", "ES512:" + stranger, "ES256K:05" + stranger[2:]):
            done = t.run("decryption", *verb, "--result-key", wrong, out, check=False)
            assert done.returncode in (2, 64) and not done.stdout, wrong
    assert "another wallet" in t.refused("decryption", "open", "--wallet", "bob", "--result-key", t.key, "boxed.json", code=2)
    assert "verify" in t.refused("decryption", "open", "--wallet", "alice", "--result-key", t.key, "public.json", code=2)
    # The answer to another question of the same kind.
    t.request(U8, "again.json")
    one, other = (json.loads((t.path / name).read_text()) for name in ("public.json", "again.json"))
    (t.path / "mixed.json").write_text(json.dumps({**one, "answer": other["answer"]}))
    assert "another question" in t.refused("decryption", "verify", "--result-key", t.key, "mixed.json", code=2)


def test_an_answer_is_compared_with_a_header_that_the_caller_trusts(trial):
    t = trial()
    t.run("dev", "chain", "allow", U8)
    t.request(U8, "own.json")
    height = t.chain.height
    for name, at in (("right", height), ("older", height - 1)):
        (t.path / f"{name}.header").write_text(json.dumps(t.chain.ask(f"/commit?height={at}")))
    t.behave("fork")
    (t.path / "fork.header").write_text(json.dumps(t.chain.ask(f"/commit?height={height}")))
    t.behave("honest")
    shown = t.run("decryption", "verify", "--result-key", t.key, "--header", "right.header", "own.json").stdout
    assert shown.startswith("valid (digest, signature, header, proof)")
    for name, words in (("older", "height"), ("fork", "another header")):
        assert words in t.refused("decryption", "verify", "--result-key", t.key, "--header", f"{name}.header", "own.json", code=2)
    words = t.refused("decryption", "verify", "--result-key", t.key, "--header", "right.header", "--contract", "0x" + 20 * "11",
                      "own.json", code=2)
    assert "proof does not lead" in words


def test_refusals_of_the_verbs_say_what_to_do(trial):
    t = trial()
    t.wallet("alice")
    own = ("--format", "raw-0.6", "--key", "small")
    # Not marked, marked for another.
    words = t.refused("decryption", "request", "--type", "u8", *own, "--out", "x", U8, code=77)
    assert keccak(U8.read_bytes()).hex() in words and "kmsd dev chain allow" in words
    t.run("dev", "chain", "allow", U8)
    cases = [
        (("--type", "u9", *own), 64, "--type: own knows bool"),
        (("--type", "u8", "--key", "small"), 64, "--format"),
        (("--type", "u8", "--format", "raw-0.6"), 64, "--key"),
        (("--type", "u8", "--service", "GA", "--key", "small"), 64, "--key"),
        (("--type", "u8", "--service", "GA", "--format", "raw-0.6"), 64, "decryption-format"),
        (("--type", "u64", "--service", "GA"), 64, "GA knows bool, u8, u16, u32"),
        (("--type", "u8", *own, "--server", "nowhere"), 64, "--server"),
        (("--type", "u8", *own, "--server", "127.0.0.1:1"), 69, "KMS_DECRYPTION_HOST"),
        (("--type", "u8", *own, "--rpc", "ftp://x"), 64, "--rpc"),
        (("--type", "u8", *own, "--rpc", "http://127.0.0.1:1"), 69, "--rpc http://127.0.0.1:1"),
        (("--type", "u8", *own, "--contract", "0x11"), 64, "--contract"),
        (("--type", "u8", *own, "--proof", "nothing"), 64, "--height"),
        (("--type", "u8", *own, "--permit", U8), 1, "permit"),
        (("--type", "u8", *own, "--tls-cacerts", "ca.pem"), 64, "--tls"),
        (("--type", "u8", "--format", "raw-0.6", "--key", "nobody"), 1, "NOT_FOUND"),
        (("--type", "u8", "--format", "raw-0.4", "--key", "small"), 1, "INVALID_ARGUMENT"),
    ]
    for arguments, code, expected in cases:
        assert expected in t.refused("decryption", "request", *arguments, "--out", "x", U8, code=code), arguments
        assert not (t.path / "x").exists()
    # Nothing is written over.
    (t.path / "x").write_text("mine")
    assert "already" in t.run("decryption", "request", "--type", "u8", *own, "--out", "x", U8, codes=(1,)).stderr
    assert (t.path / "x").read_text() == "mine"
    assert "already" in t.refused("decryption", "wallet", "alice", code=1)
    # Keys that others read, and such as are none.
    key = t.path / "alice" / "enc.key"
    key.chmod(0o644)
    t.refused("decryption", "permit", "--wallet", "alice", "--out", "y", code=77)
    key.chmod(0o600)
    for content in ("00" * 31, "zz" * 32, "00" * 40, "0x" + "zz" * 32):
        key.write_text(content)
        done = t.run("decryption", "permit", "--wallet", "alice", "--out", "y", check=False)
        assert done.returncode in (1, 77) and content[:8] not in done.stderr and not (t.path / "y").exists()


LIES = ["fork", "forged", "strangers", "other-chain", "past", "future", "garbage", "huge", "error"]


@pytest.mark.parametrize("lie", LIES)
def test_a_node_that_lies_changes_no_answer(trial, lie):
    """Whatever the followed node says about new blocks: no answer, and none of the lies is believed."""
    t = trial()
    t.run("dev", "chain", "allow", U8)
    t.request(U8, "before.json")
    height = t.chain.height
    t.behave(lie)
    t.run("dev", "chain", "allow", BOOL)
    latest = json.loads(t.run("dev", "chain", "make", "--output", "json").stdout)["height"]
    # The proof comes from the honest witness; the daemon cannot see its header.
    done = t.run("decryption", "request", "--type", "u8", "--format", "raw-0.6", "--key", "small", "--out", "x", "--rpc",
                 t.chain.witness, "--height", latest, U8, check=False)
    assert done.returncode in (1, 69), done.stderr
    assert "FAILED_PRECONDITION" in done.stderr or "UNAVAILABLE" in done.stderr or "DEADLINE" in done.stderr
    assert not (t.path / "x").exists()
    status = json.loads(t.run("decryption", "status", "--output", "json", codes=(0, 2)).stdout)
    assert status["height"] <= height
    t.behave("honest")
    if lie in ("fork",):
        return
    # Heals without a restart.
    eventually(lambda: t.run("decryption", "request", "--type", "u8", "--format", "raw-0.6", "--key", "small", "--out", "after.json",
                             U8, check=False).returncode == 0, 60, "an answer")
    assert t.run("decryption", "verify", "--result-key", t.key, "after.json").stdout.endswith("\n255\n")


def test_a_witness_that_shows_another_header_stops_the_service(trial):
    t = trial()
    t.run("dev", "chain", "allow", U8)
    t.request(U8, "before.json")
    t.behave("fork", "witness")
    t.run("dev", "chain", "make")

    def refusal():
        done = t.run("decryption", "request", "--type", "u8", "--format", "raw-0.6", "--key", "small", "--out",
                     f"x{time.time_ns()}", U8, check=False)
        return done.returncode == 1 and done.stderr

    words, _ = eventually(refusal, 60, "the conflict")
    assert "FAILED_PRECONDITION" in words and "chain-conflict" in words
    assert t.run("decryption", "status", codes=(2,)).stdout.count("problem")


def test_a_node_that_stalls_holds_nobody_up_for_long_and_is_asked_again(trial):
    t = trial()
    t.run("dev", "chain", "allow", U8)
    t.request(U8, "before.json")
    height = t.chain.height
    t.behave("stall")
    # What is verified already needs no node.
    t.request(U8, "cached.json", "--rpc", t.chain.witness, "--height", height)
    assert t.run("decryption", "verify", "--result-key", t.key, "cached.json").stdout.endswith("\n255\n")
    t.behave("honest")
    t.run("dev", "chain", "make")
    eventually(lambda: t.run("decryption", "request", "--type", "u8", "--format", "raw-0.6", "--key", "small", "--out", "after.json",
                             U8, check=False).returncode == 0, 60, "an answer")


def test_a_wrong_proof_is_refused_and_a_revoked_mark_is_not_proven(trial):
    t = trial()
    t.run("dev", "chain", "allow", U8)
    t.request(U8, "before.json")
    t.behave("wrong-proof")
    done = t.run("decryption", "request", "--type", "u8", "--format", "raw-0.6", "--key", "small", "--out", "x", U8, check=False)
    assert done.returncode == 77 and "not marked" in done.stderr
    t.behave("honest")
    t.run("dev", "chain", "revoke", U8)
    done = t.run("decryption", "request", "--type", "u8", "--format", "raw-0.6", "--key", "small", "--out", "x", U8, check=False)
    assert done.returncode == 77 and "not marked" in done.stderr


def test_a_trial_chain_makes_blocks_and_listens_on_loopback_only(chain):
    c = chain("ticking", "--block-time", "100ms")
    first = c.height
    eventually(lambda: c.height > first + 3, 30, "blocks")
    lines = (c.path / "chain.env").read_text()
    assert "evidence of nothing" in lines and "evidence of nothing" in c.out.read_text()
    port = int(c.rpc.rsplit(":", 1)[1])
    listening = {line.split()[1] for table in ("/proc/net/tcp", "/proc/net/tcp6") for line in open(table).readlines()[1:]
                 if line.split()[3] == "0A" and line.split()[1].endswith(f":{port:04X}")}
    assert listening == {f"0100007F:{port:04X}"}
    # Switches are on the first node and are POSTs; what is malformed is refused and changes nothing.
    for path, method, code in (("/dev/make", "GET", 405), ("/dev/make?blocks=0", "POST", 400), ("/dev/make?blocks=1001", "POST", 400),
                               ("/dev/allow?handle=00", "POST", 400), ("/dev/behave?as=angel", "POST", 400), ("/dev/x", "POST", 404),
                               ("/commit?height=-1", "GET", 500), ("/commit?height=999999999", "GET", 500),
                               ("/abci_query?path=x", "GET", 500), ("/genesis", "GET", 404), ("/commit", "POST", 405)):
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(urllib.request.Request(c.rpc + path, method=method), timeout=30)
        assert refused.value.code == code, path
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(urllib.request.Request(c.witness + "/dev/make", method="POST"), timeout=30)
    assert refused.value.code == 405
    assert c.end() == 0


def test_recorded_answers_are_served_as_they_were_and_a_daemon_follows_them(own, chain, tmp_path):
    live = chain("live", "--block-time", "0")
    tape = tmp_path / "tape"
    tape.mkdir()
    last = live.height
    (tape / "status.json").write_text(json.dumps(live.ask("/status")))
    for height in range(1, last + 2):
        (tape / f"validators-{height}.json").write_text(json.dumps(live.ask(f"/validators?height={height}&page=1&per_page=100")))
        if height <= last:
            (tape / f"commit-{height}.json").write_text(json.dumps(live.ask(f"/commit?height={height}")))
    played = chain("played", "--recorded", str(tape))
    assert played.ask("/commit?height=2") == live.ask("/commit?height=2")
    assert not (played.path / "chain.env").exists()
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(urllib.request.Request(played.rpc + "/dev/make", method="POST"), timeout=30)
    assert refused.value.code == 409
    settings = {**live.settings, "KMS_DECRYPTION_RPC": played.rpc, "KMS_DECRYPTION_WITNESSES": played.witness,
                "KMS_DECRYPTION_HOST": "127.0.0.1:0", "KMS_DECRYPTION_POLL": "100ms"}
    daemon = own.start(**settings)
    eventually(lambda: re.search(r"port=(\d+) .*decryption API listens", daemon.log()), 30, "the API")
    target = "127.0.0.1:" + re.search(r"port=(\d+) .*decryption API listens", daemon.log())[1]

    def status():
        done = subprocess.run([BINARY, "decryption", "status", "--server", target, "--output", "json"], capture_output=True,
                              text=True, timeout=60)
        return done.returncode == 0 and json.loads(done.stdout)["height"] == last

    eventually(status, 30, "the recorded head")
    for arguments, words in ((("--recorded", str(tmp_path / "none")), "no directory"), (("--recorded", str(live.path)), "commit-HEIGHT.json"),
                             (("--chain-id", "a b"), "--chain-id"), (("--block-time", "1ms"), "--block-time"),
                             (("--contract", "0x12"), "--contract"), (("--port", "70000"), "--port")):
        done = subprocess.run([BINARY, "dev", "chain", "serve", *arguments], capture_output=True, text=True, timeout=60)
        assert done.returncode == 64 and words in done.stderr, done.stderr
