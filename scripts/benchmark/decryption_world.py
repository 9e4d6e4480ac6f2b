"""A chain, a full node and a wallet for the cells of the decryption API, with the acceptance tests' code and packages.

Writes the questions and the files of the in-process cells to a folder, prints what the daemon must be told as one line of
JSON, and serves the chain until its input ends. A line with a port on its input has every question asked once
and its answer opened and checked; `ok`, or why not, comes back.
"""
import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
# In place of this folder, whose module `token` is not Python's.
sys.path[0] = str(ROOT / "Tests" / "acceptance")
sys.dont_write_bytecode = True

from chain_double import Chain, Node as ChainNode, sha256  # noqa: E402
from decryption_client import DOMAIN, KMS, OWN, Ask, Node, Wallet  # noqa: E402
from wire import blob, fields, keccak, message, number  # noqa: E402

VECTORS = ROOT / "Tests" / "TFHETests" / "Vectors" / "t061_big"
KEY = "bench"
RAW_06 = 2
VALIDATORS = 150
STORE = 4096


def u64():
    """A u64 from the blocks of a u16, four times: 0xBEEFBEEFBEEFBEEF."""
    return (32).to_bytes(8, "little") + (VECTORS / "FheUint16_48879.bin").read_bytes()[8:] * 4


CIPHERTEXTS = {
    "bool": (0, (VECTORS / "FheBool_true.bin").read_bytes(), b"\x01"),
    "u8": (2, (VECTORS / "FheUint8_42.bin").read_bytes(), b"\x2a"),
    "u64": (5, u64(), bytes.fromhex("efbe") * 4),
}


class World:
    def __init__(self, folder):
        self.folder = folder
        self.chain = Chain(chain_id="kmsd-bench-1")
        self.chain.validators = self.chain.set(b"", [1000 - n for n in range(VALIDATORS)])
        self.chain.storage |= {b"\x01" + sha256(b"%d" % n): b"x" for n in range(STORE)}
        self.wallet = Wallet()
        handles = {name: keccak(data) for name, (_, data, _) in CIPHERTEXTS.items()}
        for handle in handles.values():
            self.chain.allow(handle)
            self.chain.allow(handle, self.wallet.address)
        height = self.chain.make(3)
        self.nodes = [ChainNode(self.chain), ChainNode(self.chain)]
        self.questions, self.asks = {}, {}
        for name, handle in handles.items():
            proofs = [self.chain.proof(height, handle, account) for account in (None, self.wallet.address)]
            self._questions(name, height, *proofs)
        (folder / "u64.bin").write_bytes(u64())
        self._reply("commit", self.chain.commit(height))
        for page in (1, 2):
            self._reply(f"validators-{page}", self.chain.validator_page(height, page, 100))

    def _reply(self, name, result):
        reply = {"jsonrpc": "2.0", "id": -1, "result": result}
        (self.folder / f"{name}.json").write_text(json.dumps(reply))

    def _questions(self, name, height, public, user):
        fhe_type, data, _ = CIPHERTEXTS[name]

        def own(proof, *more):
            return message(
                blob(1, bytes(32)), blob(2, KEY.encode()), blob(3, data), number(4, RAW_06), number(5, fhe_type),
                blob(6, message(number(1, height), blob(2, proof))), *more)

        self._question(f"public-{name}", f"/{OWN}/PublicDecrypt", own(public), 2)
        authorization = self.wallet.authorization()
        self._question(f"user-{name}", f"/{OWN}/UserDecrypt",
                       own(user, blob(7, bytes(self.wallet.box.public_key)), blob(8, authorization)), 2)
        # Of generation GB, where what is hashed grows with the ciphertext.
        self.asks[name] = Ask("GB", self.wallet, data, fhe_type, height, public, key=KEY)
        self._question(f"gb-{name}", f"/{KMS}/Decrypt", self.asks[name].bytes, None)

    def _question(self, name, path, question, id_offset):
        file = self.folder / f"{name}.question"
        file.write_bytes(question)
        self.questions[name] = {"path": path, "file": str(file), "id_offset": id_offset}

    def settings(self):
        return {
            "KMS_DECRYPTION_CHAIN_ID": self.chain.chain_id,
            "KMS_DECRYPTION_ACL_CONTRACT": "0x" + self.chain.contract.hex(),
            "KMS_DECRYPTION_RPC": self.nodes[0].url, "KMS_DECRYPTION_WITNESSES": self.nodes[1].url,
            "KMS_DECRYPTION_TRUST": f"1:{self.chain.blocks[1]['hash'].hex()}", "KMS_DECRYPTION_POLL": "1m",
            "KMS_DECRYPTION_AUTH_CHAIN_ID": str(DOMAIN["chainId"]),
            "KMS_DECRYPTION_AUTH_CONTRACT": DOMAIN["verifyingContract"], "KMS_DECRYPTION_KEY": KEY,
            "KMS_DECRYPTION_GENERATION": "GB", "KMS_OUTBOUND_ALLOW": "127.0.0.1",
        }

    def check(self, port):
        """Asks everything once, with ids of its own."""
        node = Node(f"127.0.0.1:{port}")
        try:
            server = fields(node.call(OWN, "GetStatus", b""))[6]
            for number_, (name, (_, _, value)) in enumerate(CIPHERTEXTS.items()):
                answers = [fields(node.call(OWN, method, self._with_id(f"{kind}-{name}", 2 * number_ + place)))
                           for place, (kind, method) in enumerate((("public", "PublicDecrypt"), ("user", "UserDecrypt")))]
                assert answers[0][3] == value, f"public-{name}: another value"
                opened, _, digest = self.wallet.open(answers[1][3], server, self.wallet.address)
                assert opened == value and digest == answers[1][1], f"user-{name}: another value"
                ask = self.asks[name]
                found = ask.check_decryption(node.call(KMS, "Decrypt", ask.bytes), server)
                assert found == int.from_bytes(value, "little"), f"gb-{name}: another value"
        finally:
            node.close()

    def _with_id(self, name, place):
        question = bytearray(Path(self.questions[name]["file"]).read_bytes())
        question[2:34] = sha256(b"check %d %d" % (place, id(self)))
        return bytes(question)


def main():
    world = World(Path(sys.argv[1]))
    print(json.dumps({"settings": world.settings(), "questions": world.questions, "key": str(VECTORS / "client_key.bin")}),
          flush=True)
    for line in sys.stdin:
        try:
            world.check(int(line))
            print("ok", flush=True)
        except Exception as error:  # noqa: BLE001: the other side tells it and ends.
            print(" ".join(f"{type(error).__name__}: {error}".split()), flush=True)


if __name__ == "__main__":
    main()
