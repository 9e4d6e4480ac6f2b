"""Capabilities (ZCAP-LD) and the request signatures that invoke them, written after the wire description alone.

Documents and proofs have fixed shapes, so their canonical statements (URDNA2015) are built here without a JSON-LD engine.
"""
import base64
import datetime
import gzip
import hashlib
import json
import os
import time
import uuid

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
ALGORITHM = "https://github.com/hyperledger/aries-framework-go/zcaps"
SEC = "https://w3id.org/security#"
RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"


class Refused(Exception):
    """A capability or an invocation that does not hold."""


def base58(data):
    number, text = int.from_bytes(data, "big"), ""
    while number:
        number, digit = divmod(number, 58)
        text = ALPHABET[digit] + text
    return "1" * (len(data) - len(data.lstrip(b"\0"))) + text


def base58_decode(text):
    number = 0
    for character in text:
        number = number * 58 + ALPHABET.index(character)
    return number.to_bytes((number.bit_length() + 7) // 8, "big")


def url64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def un64(text):
    return base64.urlsafe_b64decode(text.replace("+", "-").replace("/", "_") + "=" * (-len(text) % 4))


class Key:
    """An Ed25519 key and its did:key URL."""

    def __init__(self):
        self.private = Ed25519PrivateKey.generate()
        fingerprint = "z" + base58(b"\xed\x01" + self.private.public_key().public_bytes_raw())
        self.did = f"did:key:{fingerprint}#{fingerprint}"

    def sign(self, data):
        return self.private.sign(data)


def verify(did, signature, data):
    raw = base58_decode(did.removeprefix("did:key:z").split("#")[0])
    if raw[:2] != b"\xed\x01":
        raise Refused("not an Ed25519 did:key")
    try:
        Ed25519PublicKey.from_public_bytes(raw[2:]).verify(signature, data)
    except InvalidSignature:
        raise Refused("a signature does not verify") from None


def canonical(quads):
    """Sorted statements; blank nodes, given as ('_', name), are labelled in the order of their first-degree hashes."""
    def line(quad, label):
        def term(value):
            return label(value[1]) if isinstance(value, tuple) else value
        return f"{term(quad[0])} {quad[1]} {term(quad[2])} .\n"

    nodes = {term[1] for quad in quads for term in (quad[0], quad[2]) if isinstance(term, tuple)}
    hashes = {}
    for node in nodes:
        lines = sorted(line(quad, lambda name, node=node: "_:a" if name == node else "_:z") for quad in quads
                       if ("_", node) in quad)
        hashes[node] = hashlib.sha256("".join(lines).encode()).hexdigest()
    labels = {node: f"_:c14n{index}" for index, node in enumerate(sorted(nodes, key=hashes.get))}
    return "".join(sorted(line(quad, labels.get) for quad in quads))


def statements(document):
    subject = f"<{document['id']}>"
    quads = [(subject, f"<{SEC}{name}>", f"<{document[name]}>")
             for name in ("invoker", "controller", "delegator", "parentCapability") if document.get(name)]
    quads += [(subject, f"<{SEC}allowedAction>", f'"{action}"') for action in document.get("allowedAction", [])]
    return canonical(quads + [(subject, f"<{SEC}invocationTarget>", ("_", "target"))])


def options(proof):
    node = ("_", "proof")
    quads = [
        (node, "<http://purl.org/dc/terms/created>",
         f'"{proof["created"]}"^^<http://www.w3.org/2001/XMLSchema#dateTime>'),
        (node, f"<{RDF}type>", f"<{SEC}{proof['type']}>"),
        (node, f"<{SEC}proofPurpose>", f"<{SEC}capabilityDelegationMethod>"),
        (node, f"<{SEC}verificationMethod>", f"<{proof['verificationMethod']}>"),
        (node, f"<{SEC}nonce>", f'"{proof["nonce"]}"'),
    ]
    link, chain = (node, f"<{SEC}capabilityChain>"), proof.get("capabilityChain", [])
    for index, entry in enumerate(chain):
        item = ("_", f"item{index}")
        quads += [(*link, item), (item, f"<{RDF}first>", f"<{entry}>")]
        link = (item, f"<{RDF}rest>")
    return canonical(quads + ([(*link, f"<{RDF}nil>")] if chain else []))


HEADER = url64(b'{"alg":"EdDSA","b64":false,"crit":["b64"]}')


def signing_input(document, proof, header=HEADER):
    bare = {name: value for name, value in document.items() if name != "proof"}
    digests = [hashlib.sha256(text.encode()).digest() for text in (options(proof), statements(bare))]
    return header.encode() + b"." + b"".join(digests)


def issue(signer, target, invoker, parent=None, actions=("read", "write"), kind="urn:edv:vault", caveats=None, age=0,
          header=HEADER):
    """A root (signed by whoever keeps the target) or a child of `parent`, `age` seconds old."""
    document = {"@context": "https://w3id.org/security/v2", "id": f"urn:uuid:{uuid.uuid4()}", "invoker": invoker}
    if parent:
        document["parentCapability"] = parent["id"]
    document |= {"allowedAction": list(actions), "invocationTarget": {"ID": target, "Type": kind}, "caveats": caveats}
    created = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(seconds=age)
    proof = {"created": created.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
             "nonce": url64(os.urandom(64)), "proofPurpose": "capabilityDelegation",
             "type": "Ed25519Signature2018", "verificationMethod": signer.did}
    if parent:
        proof["capabilityChain"] = [parent["id"]]
    proof["jws"] = header + ".." + url64(signer.sign(signing_input(document, proof, header)))
    return document | {"proof": [proof]}


def check(document, root):
    """That a presented capability is the root, or a child of it by whom the root names, for no more than it allows."""
    if document["id"] == root["id"]:
        return root
    if document.get("parentCapability") != root["id"] or document["invocationTarget"] != root["invocationTarget"]:
        raise Refused("another parent or target")
    if not set(document["allowedAction"]) <= set(root["allowedAction"]):
        raise Refused("more than the parent allows")
    proof = document["proof"][0]
    header, _, signature = proof["jws"].split(".")
    if (proof["proofPurpose"], proof["capabilityChain"], proof["verificationMethod"], header) != (
            "capabilityDelegation", [root["id"]], root["invoker"], HEADER):
        raise Refused("no proof by the root's invoker")
    verify(proof["verificationMethod"], un64(signature), signing_input(document, proof))
    return document


def parameters(text):
    return dict((name, value.strip('"')) for name, value in
                (part.split("=", 1) for part in text.split(",") if "=" in part))


def invoke(signer, capability, action, method, path, keyid=None):
    """Headers of a request without body, signed over its line and the invocation."""
    packed = base64.urlsafe_b64encode(gzip.compress(json.dumps(capability).encode())).decode()
    invocation, created = f'zcap capability="{packed}",action="{action}"', int(time.time())
    text = f"(created): {created}\n(request-target): {method.lower()} {path}\ncapability-invocation: {invocation}"
    signature = base64.b64encode(signer.sign(text.encode())).decode()
    return {"Capability-Invocation": invocation,
            "Signature": f'keyId="{keyid or signer.did}",algorithm="{ALGORITHM}",created={created},'
                         f'headers="(created) (request-target) capability-invocation",signature="{signature}"'}


def verify_invocation(method, path, headers, body, root, action):
    """Checks a request against a stored root; `headers` by lower-case name. Returns the names that were signed."""
    invocation = headers.get("capability-invocation", "")
    if not invocation.startswith("zcap "):
        raise Refused("no invocation")
    values = parameters(invocation.removeprefix("zcap "))
    document = json.loads(gzip.decompress(base64.urlsafe_b64decode(values["capability"])))
    effective = check(document, root)
    if values["action"] != action or action not in effective["allowedAction"]:
        raise Refused("another action")
    if not headers.get("signature", "").startswith('keyId="'):
        raise Refused("keyId is not the first parameter")
    signature = parameters(headers["signature"])
    if signature["keyId"] != effective["invoker"] or signature["algorithm"] != ALGORITHM:
        raise Refused("another signer or algorithm")
    if abs(int(signature["created"]) - time.time()) > 60:
        raise Refused("not fresh")
    covered = signature["headers"].split(" ")
    special = {"(created)": signature["created"], "(request-target)": f"{method.lower()} {path}"}
    lines = [f"{name}: {special.get(name, headers.get(name))}" for name in covered]
    verify(signature["keyId"], un64(signature["signature"]), "\n".join(lines).encode())
    if body and headers.get("digest") != "SHA-256=" + base64.b64encode(hashlib.sha256(body).digest()).decode():
        raise Refused("another body")
    return covered
