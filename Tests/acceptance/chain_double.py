"""A chain for tests: CometBFT headers with real signatures over a store whose proofs are real, served as a node's RPC on loopback.

It can be told to lie, to stall and to go away. Nothing here shares code with the daemon.
"""
import base64
import hashlib
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlparse

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from wire import blob, fixed, keccak, message, number, varint

NAMESPACE = bytes.fromhex("a688f31953c2015baaf8c0a488ee1ee22eb0e05273cc1fd31ea4cbee42febc00")
TRUE = bytes(31) + b"\x01"


def sha256(data):
    return hashlib.sha256(data).digest()


def merkle(leaves):
    if not leaves:
        return sha256(b"")
    if len(leaves) == 1:
        return sha256(b"\x00" + leaves[0])
    split = 1 << (len(leaves) - 1).bit_length() - 1
    return sha256(b"\x01" + merkle(leaves[:split]) + merkle(leaves[split:]))


def zigzag(value):
    return varint(value << 1)


class Iavl:
    """A module's store. Proofs are ICS-23's."""

    def __init__(self, entries, version):
        self.entries = sorted(entries.items())
        self.version = version
        self.tree = self._build(0, len(self.entries))

    def _build(self, low, high):
        if high - low == 1:
            key, value = self.entries[low]
            prefix = zigzag(0) + zigzag(1) + zigzag(self.version)
            hashed = sha256(prefix + varint(len(key)) + key + varint(32) + sha256(value))
            return {"hash": hashed, "height": 0, "key": key, "prefix": prefix, "value": value}
        middle = low + (1 << (high - low - 1).bit_length() - 1)
        left, right = self._build(low, middle), self._build(middle, high)
        height = max(left["height"], right["height"]) + 1
        prefix = zigzag(height) + zigzag(high - low) + zigzag(self.version)
        hashed = sha256(prefix + b"\x20" + left["hash"] + b"\x20" + right["hash"])
        return {"hash": hashed, "height": height, "left": left, "right": right, "prefix": prefix,
                "split": self.entries[middle][0]}

    @property
    def root(self):
        return self.tree["hash"]

    def proof(self, key):
        steps, node = [], self.tree
        while "left" in node:
            if key < node["split"]:
                steps.append((node["prefix"] + b"\x20", b"\x20" + node["right"]["hash"]))
                node = node["left"]
            else:
                steps.append((node["prefix"] + b"\x20" + node["left"]["hash"] + b"\x20", b""))
                node = node["right"]
        assert node["key"] == key, "the store has no such key"
        return existence(key, node["value"], node["prefix"], reversed(steps))


def existence(key, value, prefix, steps):
    """A CommitmentProof with one existence proof."""
    leaf = message(number(1, 1), number(3, 1), number(4, 1), blob(5, prefix))
    path = b"".join(blob(4, message(number(1, 1), blob(2, before), blob(3, after))) for before, after in steps)
    return blob(1, message(blob(1, key), blob(2, value), blob(3, leaf), path))


def multistore(roots):
    """The hash over all stores, and the proof of each."""
    names = sorted(roots)

    def build(low, high):
        if high - low == 1:
            name = names[low].encode()
            digest = sha256(roots[names[low]])
            return sha256(b"\x00" + varint(len(name)) + name + varint(32) + digest), {names[low]: []}
        middle = low + (1 << (high - low - 1).bit_length() - 1)
        (left, lefts), (right, rights) = build(low, middle), build(middle, high)
        paths = {n: p + [(b"\x01", right)] for n, p in lefts.items()}
        paths.update({n: p + [(b"\x01" + left, b"")] for n, p in rights.items()})
        return sha256(b"\x01" + left + right), paths

    root, paths = build(0, len(names))
    return root, {n: existence(n.encode(), roots[n], b"\x00", paths[n]) for n in names}


def proof_ops(inner, key, outer, store=b"evm"):
    return message(
        blob(1, message(blob(1, b"ics23:iavl"), blob(2, key), blob(3, inner))),
        blob(1, message(blob(1, b"ics23:simple"), blob(2, store), blob(3, outer))))


def rlp(item):
    """Ethereum's recursive length prefix of bytes and lists."""
    if isinstance(item, bytes):
        if len(item) == 1 and item[0] < 0x80:
            return item
        body, short, long = item, 0x80, 0xB7
    else:
        body, short, long = b"".join(map(rlp, item)), 0xC0, 0xF7
    if len(body) < 56:
        return bytes([short + len(body)]) + body
    size = len(body).to_bytes((len(body).bit_length() + 7) // 8, "big")
    return bytes([long + len(size)]) + size + body


class Trie:
    """Ethereum's trie over hashed keys, and its proofs: nodes from the root down, those within their parents not listed."""

    def __init__(self, entries):
        self.root_node = self._build([([n for byte in key for n in (byte >> 4, byte & 15)], value)
                                      for key, value in sorted(entries.items())])
        self.root = keccak(rlp(self.root_node))

    @staticmethod
    def _path(steps, is_leaf):
        first = (2 if is_leaf else 0) + len(steps) % 2
        nibbles = [first] + steps if len(steps) % 2 else [first, 0] + steps
        return bytes(nibbles[n] << 4 | nibbles[n + 1] for n in range(0, len(nibbles), 2))

    def _build(self, entries):
        if not entries:
            return b""
        if len(entries) == 1:
            return [self._path(entries[0][0], True), entries[0][1]]
        common = 0
        while len({tuple(steps[:common + 1]) for steps, _ in entries}) == 1:
            common += 1
        if common:
            inner = self._build([(steps[common:], value) for steps, value in entries])
            return [self._path(entries[0][0][:common], False), self._reference(inner)]
        children = [self._build([(steps[1:], value) for steps, value in entries if steps[0] == n]) for n in range(16)]
        return [self._reference(child) if child else b"" for child in children] + [b""]

    def _reference(self, node):
        encoded = rlp(node)
        if len(encoded) < 32:
            return node
        self.nodes = getattr(self, "nodes", {})
        self.nodes[keccak(encoded)] = node
        return keccak(encoded)

    def proof(self, key):
        steps = [n for byte in key for n in (byte >> 4, byte & 15)]
        node, listed = self.root_node, [rlp(self.root_node)]
        while node:
            if len(node) == 17:
                node, steps = node[steps[0]], steps[1:]
            else:
                nibbles = [n for byte in node[0] for n in (byte >> 4, byte & 15)]
                own = nibbles[1:] if nibbles[0] & 1 else nibbles[2:]
                if nibbles[0] >= 2 or steps[:len(own)] != own:
                    break
                node, steps = node[1], steps[len(own):]
            if isinstance(node, bytes) and node:
                node = self.nodes[node]
                listed.append(rlp(node))
        return listed


class Validator:
    def __init__(self, seed, power):
        self.key = Ed25519PrivateKey.from_private_bytes(sha256(seed))
        self.public = self.key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        self.address = sha256(self.public)[:20]
        self.power = power


def timestamp(moment):
    seconds, nanos = moment
    return number(1, seconds) + number(2, nanos)


def rfc3339(moment):
    seconds, nanos = moment
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + (f".{nanos:09d}" if nanos else "") + "Z"


class Chain:
    """Blocks of a second each, the last one made a moment ago, so that trust is fresh."""

    def __init__(self, chain_id="kmsd-test-1", contract=None, age=60, seed="chain", form="ics23"):
        # What the application hash is the root of, and so what its proofs are: "ics23", "gx" (the same, wrapped) or "eth".
        self.form = form
        self.chain_id = chain_id
        self.contract = contract or sha256(b"contract")[:20]
        self.seed = seed.encode()
        self.lock = threading.RLock()
        self.storage = {b"\x01" + sha256(b"something else %d" % n): b"x" for n in range(5)}
        self.validators = self.set(b"", [10, 10, 10, 5])
        self.blocks = {}
        self.states = {}
        self.start = int(time.time()) - age

    def set(self, salt, powers):
        made = [Validator(self.seed + salt + b"/%d" % n, power) for n, power in enumerate(powers)]
        return sorted(made, key=lambda v: (-v.power, v.address))

    @property
    def height(self):
        return max(self.blocks, default=0)

    def slot(self, handle, account=None):
        if account is None:
            return keccak(handle + (int.from_bytes(NAMESPACE, "big") + 1).to_bytes(32, "big"))
        return keccak(bytes(12) + account + keccak(handle + NAMESPACE))

    def key(self, handle, account=None, contract=None):
        return b"\x02" + (contract or self.contract) + self.slot(handle, account)

    def allow(self, handle, account=None, value=TRUE, contract=None):
        """Marks a ciphertext; counts from the next block on, which the header after it tells."""
        with self.lock:
            self.storage[self.key(handle, account, contract)] = value

    def revoke(self, handle, account=None):
        with self.lock:
            self.storage[self.key(handle, account)] = bytes(32)

    def app_hash(self, height):
        """Of the state after block `height`."""
        if self.form == "eth":
            return self.accounts(self.states[height])[0].root
        store = Iavl(self.states[height], height)
        return multistore({"acc": sha256(b"acc"), "bank": sha256(b"bank"), "evm": store.root})[0]

    def proof(self, height, handle, account=None, contract=None, store="evm", spoil=None):
        """A proof for the header of `height`: the state after the block before it."""
        with self.lock:
            if self.form == "eth":
                answer = self.eth_get_proof(height, self.slot(handle, account), contract or self.contract)
                return self.wrapped(height, handle, account, json.dumps(answer).encode(), spoil)
            proof = self.proof_of_key(height, self.key(handle, account, contract), store)
            return self.wrapped(height, handle, account, proof, spoil) if self.form == "gx" else proof

    def wrapped(self, height, handle, account, proof, spoil=None):
        """EthermintPermissionProof or EvmPermissionProof, each field of which can be spoilt by its name."""
        at = 1 if self.form == "eth" else 0
        parts = {"handle": blob(1, handle), "account": blob(2, account or b"") if at else b"",
                 "permission": number(2 + at, int(account is not None)), "height": number(3 + at, height),
                 "root": blob(4 + at, self.blocks[height]["header"]["app_hash"]), "contract": blob(5 + at, self.contract),
                 "proof": blob(6 + at, proof), "more": b""}
        return message(*{**parts, **(spoil or {})}.values())

    def accounts(self, state):
        """The trie of accounts over a state's contracts, and the tries of their storage."""
        storages = {}
        for key, value in state.items():
            if key[:1] == b"\x02" and value.strip(b"\0"):
                storages.setdefault(key[1:21], {})[keccak(key[21:])] = rlp(value.lstrip(b"\0"))
        tries = {contract: Trie(entries) for contract, entries in storages.items()}
        entries = {keccak(sha256(b"account %d" % n)[:20]): rlp([b"\x05", bytes([n + 1]), keccak(rlp(b"")), keccak(b"")])
                   for n in range(40)}
        entries |= {keccak(contract): rlp([b"\x01", b"", trie.root, keccak(b"code")]) for contract, trie in tries.items()}
        return Trie(entries), tries

    def eth_get_proof(self, height, slot, contract):
        """What `eth_getProof` answers at the block before `height`."""
        world, storages = self.accounts(self.states[height - 1])
        storage = storages[contract]
        value = int.from_bytes(self.states[height - 1].get(b"\x02" + contract + slot, b""), "big")
        return {"address": "0x" + contract.hex(), "balance": "0x0", "nonce": "0x1", "codeHash": "0x" + keccak(b"code").hex(),
                "storageHash": "0x" + storage.root.hex(),
                "accountProof": ["0x" + node.hex() for node in world.proof(keccak(contract))],
                "storageProof": [{"key": "0x" + slot.hex(), "value": hex(value),
                                  "proof": ["0x" + node.hex() for node in storage.proof(keccak(slot))]}]}

    def proof_of_key(self, height, key, store="evm"):
        tree = Iavl(self.states[height - 1], height - 1)
        _, outer = multistore({"acc": sha256(b"acc"), "bank": sha256(b"bank"), "evm": tree.root})
        return proof_ops(tree.proof(key), key, outer[store], store.encode())

    def make(self, count=1, next_validators=None, moment=None):
        """Appends blocks."""
        for _ in range(count):
            with self.lock:
                height = self.height + 1
                previous = self.blocks.get(height - 1)
                validators = self.validators
                following = next_validators or validators
                header = {
                    "height": height, "time": moment or (self.start + height, 7 * height),
                    "last": previous["block_id"] if previous else None,
                    "validators": validators, "next": following,
                    "app_hash": self.app_hash(height - 1) if previous else sha256(b"genesis"),
                }
                self.states[height] = dict(self.storage)
                self.blocks[height] = self._sign(header)
                self.validators = following
        return self.height

    def validators_hash(self, validators):
        return merkle([blob(1, blob(1, v.public)) + number(2, v.power) for v in validators])

    def _parts(self, header):
        def wrapped(value):
            return blob(1, value)
        last = header["last"]
        last_id = (blob(1, last[0]) + blob(2, number(1, last[1]) + blob(2, last[2]), True)) if last else blob(2, b"", True)
        return [
            number(1, 11), wrapped(self.chain_id.encode()), number(1, header["height"]), timestamp(header["time"]), last_id,
            wrapped(sha256(b"commit")), wrapped(sha256(b"data")), wrapped(self.validators_hash(header["validators"])),
            wrapped(self.validators_hash(header["next"])), wrapped(sha256(b"consensus")), wrapped(header["app_hash"]),
            wrapped(sha256(b"results")), wrapped(sha256(b"")), wrapped(header["validators"][0].address),
        ]

    def _sign(self, header):
        digest = merkle(self._parts(header))
        block_id = (digest, 1, sha256(digest + b"parts"))
        canonical_id = blob(1, block_id[0]) + blob(2, number(1, block_id[1]) + blob(2, block_id[2]))
        votes = []
        for place, validator in enumerate(header["validators"]):
            moment = (header["time"][0] + 1, place)
            vote = message(number(1, 2), fixed(2, header["height"]), blob(4, canonical_id), blob(5, timestamp(moment), True),
                           blob(6, self.chain_id.encode()))
            votes.append((validator, moment, validator.key.sign(varint(len(vote)) + vote)))
        return {"header": header, "hash": digest, "block_id": block_id, "votes": votes}

    # What a node answers.

    def _id(self, block_id):
        if block_id is None:
            return {"hash": "", "parts": {"total": 0, "hash": ""}}
        return {"hash": block_id[0].hex().upper(), "parts": {"total": block_id[1], "hash": block_id[2].hex().upper()}}

    def commit(self, height=None):
        with self.lock:
            block = self.blocks[height or self.height]
            header = block["header"]
            return {"signed_header": {
                "header": {
                    "version": {"block": "11"}, "chain_id": self.chain_id, "height": str(header["height"]),
                    "time": rfc3339(header["time"]), "last_block_id": self._id(header["last"]),
                    "last_commit_hash": sha256(b"commit").hex().upper(), "data_hash": sha256(b"data").hex().upper(),
                    "validators_hash": self.validators_hash(header["validators"]).hex().upper(),
                    "next_validators_hash": self.validators_hash(header["next"]).hex().upper(),
                    "consensus_hash": sha256(b"consensus").hex().upper(), "app_hash": header["app_hash"].hex().upper(),
                    "last_results_hash": sha256(b"results").hex().upper(), "evidence_hash": sha256(b"").hex().upper(),
                    "proposer_address": header["validators"][0].address.hex().upper(),
                },
                "commit": {
                    "height": str(header["height"]), "round": 0, "block_id": self._id(block["block_id"]),
                    "signatures": [{
                        "block_id_flag": 2, "validator_address": v.address.hex().upper(), "timestamp": rfc3339(moment),
                        "signature": base64.b64encode(signature).decode(),
                    } for v, moment, signature in block["votes"]],
                },
            }, "canonical": True}

    def validator_page(self, height, page, size):
        with self.lock:
            known = self.blocks.get(height)
            validators = known["header"]["validators"] if known else self.validators
        part = validators[(page - 1) * size:page * size]
        return {"block_height": str(height), "count": str(len(part)), "total": str(len(validators)), "validators": [{
            "address": v.address.hex().upper(), "voting_power": str(v.power), "proposer_priority": "0",
            "pub_key": {"type": "tendermint/PubKeyEd25519", "value": base64.b64encode(v.public).decode()},
        } for v in part]}

    def status(self):
        with self.lock:
            block = self.blocks[self.height]
            return {"node_info": {"network": self.chain_id}, "sync_info": {
                "latest_block_height": str(self.height), "latest_block_hash": block["hash"].hex().upper(),
                "latest_block_time": rfc3339(block["header"]["time"]), "catching_up": False}}


class Node:
    """A node of a chain on loopback. Set `chain` to another one to lie, `stalls` to say nothing, `is_down` to refuse."""

    def __init__(self, chain):
        self.chain = chain
        self.stalls = self.is_down = False
        self.asked = []
        node = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                node.asked.append(self.path)
                if node.stalls:
                    node.released.wait(30)
                if node.is_down:
                    self.close_connection = True
                    return
                try:
                    reply, status = {"jsonrpc": "2.0", "id": -1, "result": node.answer(self.path)}, 200
                except KeyError:
                    reply, status = {"jsonrpc": "2.0", "id": -1, "error": {"code": -32603, "message": "no such height"}}, 500
                body = json.dumps(reply).encode()
                self.send_response(status)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.released = threading.Event()
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def answer(self, path):
        parts = urlparse(path)
        query = {k: int(v[0]) for k, v in parse_qs(parts.query).items()}
        match parts.path:
            case "/status":
                return self.chain.status()
            case "/commit":
                return self.chain.commit(query.get("height"))
            case "/validators":
                if query["height"] > self.chain.height + 1:
                    raise KeyError(query["height"])
                return self.chain.validator_page(query["height"], query.get("page", 1), query.get("per_page", 30))
        raise KeyError(path)

    def end(self):
        # A connection that is kept open is a thread of its own, which would go on answering.
        self.is_down = True
        self.released.set()
        self.server.shutdown()
        self.server.server_close()
