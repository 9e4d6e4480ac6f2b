"""The client's verbs for what is not a single number of the own service, GA or GB: generation GN, arrays, numbers with a sign, lists of
permissible decryptors. What they send is read by hand, and what is boxed stays out of the client's ordinary memory."""
import base64
import json

import pytest
from decryption_client import verify
from test_decryption_client import U8, U32, trial  # noqa: F401
from test_decryption_concrete import INDEX, VECTORS, parameters, take
from wire import der_number, der_octets, der_sequence, der_type, der_vector, fields, keccak, sha3


def shown(t, out, *more):
    return json.loads(t.run("decryption", "verify", "--result-key", t.key, "--output", "json", *more, out).stdout)


def opened(t, out, wallet="alice"):
    return t.run("decryption", "open", "--wallet", wallet, "--result-key", t.key, out).stdout


def test_generation_gn_is_asked_verified_and_opened_and_strangers_confirm_it(trial):
    t = trial("GN")
    wallet = t.wallet("alice")
    t.run("dev", "chain", "allow", U32)
    t.run("decryption", "request", "--service", "GN", "--type", "u32", "--out", "public.json", U32)
    assert (shown(t, "public.json")["value"], shown(t, "public.json")["checked"]) == ("3735928559", ["digest", "signature"])
    question, answer = t.answer("public.json")
    asked, found = fields(question), fields(answer)
    assert len(asked[3]) == 32 and asked[2] == U32.read_bytes() and (asked[1], found[2], found[3]) == (4, 4, 3735928559)
    proof = fields(asked[4])
    digest = sha3(der_vector(der_sequence(der_type(4), der_vector(asked[2]), der_vector(asked[3]), der_number(proof[1]),
                                          der_vector(proof[2]))))
    plaintext = der_sequence(der_number(found[3]), der_type(4))
    verify(t.server, der_sequence(der_number(1), der_number(1), der_vector(der_octets(t.server)), der_vector(plaintext),
                                  der_vector(digest)), found[1])
    t.run("dev", "chain", "allow", "--permit", "alice.json", U8)
    t.run("decryption", "request", "--service", "GN", "--type", "u8", "--permit", "alice.json", "--out", "boxed.json", U8)
    assert opened(t, "boxed.json") == "255\n"
    question, answer = t.answer("boxed.json")
    asked, found = fields(question), fields(answer)
    assert asked[3] == bytes(wallet.box.public_key)
    value, fhe_type, _ = wallet.open(found[1], t.server, wallet.address)
    assert (int.from_bytes(value, "little"), fhe_type) == (255, 2)
    # A changed answer, and the answer to another question.
    for out, verb in (("public.json", ("verify",)), ("boxed.json", ("open", "--wallet", "alice"))):
        file = json.loads((t.path / out).read_text())
        for part in ("question", "answer"):
            whole = bytearray(t.answer(out)[part == "answer"])
            whole[len(whole) // 2] ^= 1
            (t.path / "spoilt.json").write_text(json.dumps({**file, part: base64.b64encode(whole).decode()}))
            done = t.run("decryption", *verb, "--result-key", t.key, "spoilt.json", check=False)
            assert done.returncode in (1, 2) and not done.stdout, (out, part, done.stdout)
    for more, words in ((("--key", "small"), "--key"), (("--format", "raw-0.6"), "--format"), (("--type", "u128"), "GN knows bool"),
                        (("--array-length", "3"), "--array-length")):
        assert words in t.refused("decryption", "request", "--service", "GN", "--type", "u32", "--out", "x", *more, U32, code=64)


@pytest.mark.parametrize("service", ["own", "GA", "GB", "GN"])
def test_a_list_of_permissible_decryptors_goes_with_the_proof_of_each(trial, service):
    t = trial("GA" if service == "own" else service, **({"KMS_DECRYPTION_FORMAT": "raw-0.6"} if service == "GA" else {}))
    alice, bob = t.wallet("alice"), t.wallet("bob")
    accounts = ["0x" + who.address.hex() for who in (alice, bob)]
    for account in accounts:
        t.run("dev", "chain", "allow", "--account", account, U8)
    which = {"own": ("--format", "raw-0.6", "--key", "small"), "GB": ("--key", "small")}.get(service, ())
    ask = ("decryption", "request", "--service", service, "--type", "u8", *which)
    both = [part for account in accounts for part in ("--decryptor", account)]
    t.run(*ask, "--permit", "alice.json", *both, "--out", "boxed.json", U8)
    assert opened(t, "boxed.json") == "255\n"
    # The list stands where the protos have it, and there is no other proof.
    question = fields(t.answer("boxed.json")[0])
    listed = fields(question[9 if service == "own" else 100])
    assert listed[3] == [alice.address, bob.address] and listed[2] == keccak(U8.read_bytes())
    assert [fields(entry)[1] for entry in listed[5]] == [alice.address, bob.address]
    height = json.loads(t.run("decryption", "verify", "--result-key", t.key, "--output", "json", "boxed.json").stdout)["height"]
    (t.path / "h.json").write_text(json.dumps(t.chain.ask(f"/commit?height={height}")))
    assert "proof" in shown(t, "boxed.json", "--header", "h.json", "--account", accounts[0])["checked"]
    # Not among them; not marked; twice; without a wallet.
    t.refused(*ask, "--permit", "alice.json", "--decryptor", accounts[1], "--out", "x", U8, code=64)
    words = t.refused(*ask, "--permit", "alice.json", *both, "--decryptor", "0x" + "11" * 20, "--out", "x", U8, code=77)
    assert "11" * 20 in words
    t.refused(*ask, "--permit", "alice.json", *both, *both, "--out", "x", U8, code=64)
    t.refused(*ask, *both, "--out", "x", U8, code=64)
    assert not (t.path / "x").exists()


def test_arrays_and_numbers_with_a_sign_are_asked_for_verified_and_opened(trial):
    t = trial()
    t.daemon.terminate()
    for place, entry in enumerate(INDEX):
        take(t.installation, f"concrete{place}", entry, *parameters(entry))
    t.start()
    t.wallet("alice")
    seen = set()
    for place, entry in enumerate(INDEX):
        ciphertext = VECTORS / "concrete" / entry["ciphertext"]["file"]
        count = len(entry["values"])
        form = ("--format", "concrete-array", "--array-length", count) if count > 1 else ("--format", "safe-0.5")
        ask = ("decryption", "request", "--type", "i8" if entry["signed"] else "u8", "--key", f"concrete{place}", *form)
        expected = ",".join(map(str, entry["values"]))
        expected = f"[{expected}]" if count > 1 else expected
        t.run("dev", "chain", "allow", ciphertext)
        t.run(*ask, "--out", f"{place}.json", ciphertext)
        assert shown(t, f"{place}.json")["value"] == expected
        t.run("dev", "chain", "allow", "--permit", "alice.json", ciphertext)
        t.run(*ask, "--permit", "alice.json", "--out", f"{place}.boxed", ciphertext)
        assert opened(t, f"{place}.boxed") == expected + "\n"
        told = json.loads(t.run("decryption", "open", "--wallet", "alice", "--result-key", t.key, "--output", "json",
                                f"{place}.boxed").stdout)
        assert told["value"] == expected, told
        seen.add((count > 1, entry["signed"]))
    assert {(True, False), (False, True), (False, False)} <= seen
    array = next(e for e in INDEX if len(e["values"]) > 1)
    ciphertext = VECTORS / "concrete" / array["ciphertext"]["file"]
    for form, words in ((("--format", "concrete-array"), "--array-length"), (("--format", "safe-0.5", "--array-length", 3), "--array-length"),
                        (("--format", "concrete-array", "--array-length", 1), "--array-length"),
                        (("--format", "concrete-array", "--array-length", 257), "--array-length")):
        assert words in t.refused("decryption", "request", "--type", "u8", "--key", "small", *form, "--out", "x", ciphertext, code=64)


def test_every_type_has_its_number(trial):
    """What goes over the wire is tfhe-rs's number; the daemon names the type that it does not have."""
    t = trial()
    t.run("dev", "chain", "allow", U8)
    ask = ("decryption", "request", "--format", "raw-0.6", "--key", "small", "--out", "x")
    for name in ("u2", "u14", "i2", "i256", "i160", "u160"):
        words = t.refused(*ask, "--type", name, U8, code=1)
        assert "INVALID_ARGUMENT" in words and "unknown-type" not in words, (name, words)
    assert "i256" in t.refused(*ask, "--type", "i7", U8, code=64)
