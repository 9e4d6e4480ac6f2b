"""Keys and ciphertexts that Concrete itself has made, from import to a decryption by the daemon."""
import json

import pytest

from decryption_client import KMS, OWN, Ask, Wallet
from test_decryption import VECTORS, Own, world  # noqa: F401
from wire import fields, number

INDEX = json.loads((VECTORS / "concrete" / "index.json").read_text())["entries"]
UINT8, INT8, SAFE, ARRAY = 2, 20, 4, 6


def parameters(entry):
    return ("--message-modulus", entry["message_modulus"], "--carry-modulus", entry["carry_modulus"], "--order", "big",
            "--length", entry["length"])


def take(kmsd, name, entry, *more, check=True):
    file = kmsd.home / f"{name}.key"
    file.write_bytes((VECTORS / "concrete" / entry["key"]["file"]).read_bytes())
    file.chmod(0o600)
    result = kmsd.run("decryption", "key", "import", "--name", name, "--format", "concrete-lwe", "--published", *more, file,
                      check=check)
    file.unlink()
    return result


def find(**wanted):
    return next(e for e in INDEX if all(e[k] == v for k, v in wanted.items()))


class ArrayOwn(Own):
    """A question about an array."""

    length = 0

    @property
    def bytes(self):
        return super().bytes + number(7 if self.wallet is None else 10, self.length)

    def fields_of_digest(self):
        return (*super().fields_of_digest(), self.length) if self.format == ARRAY else super().fields_of_digest()


def question(entry, height, proof, key, wallet=None):
    count = len(entry["values"])
    ask = ArrayOwn((VECTORS / "concrete" / entry["ciphertext"]["file"]).read_bytes(), INT8 if entry["signed"] else UINT8, height,
                   proof, key, ARRAY if count > 1 else SAFE, wallet, wallet.authorization() if wallet else b"")
    ask.length = count if count > 1 else 0
    return ask


def number_of(values):
    """What little-endian bytes of these values are as one number."""
    return int.from_bytes(b"".join((v % 256).to_bytes(1, "little") for v in values), "little")


@pytest.fixture
def concrete(world):  # noqa: F811
    """A daemon with each of Concrete's keys under a name of its own."""
    w = world("GB")
    w.daemon.terminate()
    for place, entry in enumerate(INDEX):
        take(w.installation, f"concrete{place}", entry, *parameters(entry))
    w.start()
    return w


def test_every_key_that_concrete_exported_decrypts_what_concrete_encrypted(concrete):
    w, wallet = concrete, Wallet()
    shown = {k["name"]: k for k in w.installation.run_json("decryption", "key", "list")}
    assert {e["length"] for e in INDEX} == {2048, 4096} and {e["carry_modulus"] for e in INDEX} == {4, 8}
    assert any(e["signed"] for e in INDEX) and any(len(e["values"]) > 1 for e in INDEX)
    for place, entry in enumerate(INDEX):
        name = f"concrete{place}"
        assert (shown[name]["length"], shown[name]["carryModulus"]) == (entry["length"], entry["carry_modulus"])
        ciphertext = (VECTORS / "concrete" / entry["ciphertext"]["file"]).read_bytes()
        height, proof = w.mark(ciphertext)
        ask = question(entry, height, proof, name)
        answer = w.node.call(OWN, "PublicDecrypt", ask.bytes)
        assert ask.check(answer, w, name) == number_of(entry["values"])
        assert len(fields(answer)[3]) == len(entry["values"])
        height, proof = w.mark(ciphertext, wallet.address)
        ask = question(entry, height, proof, name, wallet)
        assert ask.check(w.node.call(OWN, "UserDecrypt", ask.bytes), w, name) == number_of(entry["values"])


def test_a_single_number_of_concrete_goes_through_the_generations_too(concrete):
    entry = find(signed=False, length=4096)
    name = f"concrete{INDEX.index(entry)}"
    w, wallet = concrete, Wallet()
    w.daemon.terminate()
    w.start(KMS_DECRYPTION_FORMAT="safe-0.5")
    ciphertext = (VECTORS / "concrete" / entry["ciphertext"]["file"]).read_bytes()
    height, proof = w.mark(ciphertext)
    ask = Ask("GB", wallet, ciphertext, 2, height, proof, key=name)
    assert ask.check_decryption(w.node.call(KMS, "Decrypt", ask.bytes), w.server) == entry["values"][0]


def test_what_does_not_fit_a_concrete_key_or_array_is_refused_and_gives_no_value(concrete):
    w = concrete
    array, signed = next(e for e in INDEX if len(e["values"]) > 1), find(signed=True)
    carry, wide = find(carry_modulus=8), find(length=4096)

    def refused(entry, key, spoil):
        ask = question(entry, 1, b"", key)
        spoil(ask)
        ask.height, ask.proof = w.mark(ask.ciphertext)
        code, words = w.node.refused(OWN, "PublicDecrypt", ask.bytes)
        assert code == "INVALID_ARGUMENT", words
        return words

    def set_(**values):
        return lambda ask: ask.__dict__.update(values)

    own = f"concrete{INDEX.index(array)}"
    assert "array_length" in refused(array, own, set_(length=0))
    assert "array_length" in refused(array, own, set_(length=257))
    assert "expected 3" in refused(array, own, set_(length=3))
    assert refused(array, own, set_(length=1))
    assert "array_length" in refused(array, own, set_(format=SAFE))
    assert "safe-0.5" in refused(array, own, set_(format=SAFE, length=0))
    assert refused(array, own, set_(ciphertext=question(array, 1, b"", own).ciphertext[:-1]))
    assert refused(array, own, set_(ciphertext=question(array, 1, b"", own).ciphertext + b"\0"))
    # The framing of a single number names whether it has a sign.
    name = f"concrete{INDEX.index(signed)}"
    words = refused(signed, name, set_(fhe_type=UINT8))
    assert "FheUint" in words and "FheInt" in words
    words = refused(wide, f"concrete{INDEX.index(wide)}", set_(fhe_type=INT8))
    assert "FheUint" in words and "FheInt" in words
    # Another key: other parameters, another length, or the noise.
    assert "carry modulus" in refused(carry, name, set_())
    assert "4096" in refused(wide, name, set_())
    words = refused(signed, own, set_())
    assert "noise" in words
    for unknown in (9, 11, 30, 77):
        assert "fhe_type" in refused(signed, name, set_(fhe_type=unknown))


def test_a_concrete_key_needs_its_parameters_and_the_right_ones(own):
    entry = INDEX[0]
    right = dict(zip(parameters(entry)[::2], parameters(entry)[1::2]))

    def refused(changes=None, *more):
        options = {**right, **(changes or {})}
        flat = [part for option, value in options.items() if value is not None for part in (option, value)]
        result = take(own, "one", entry, *flat, *more, check=False)
        assert result.returncode in (1, 64), (changes, result)
        return result.stderr

    assert "parameters" in refused(dict.fromkeys(right))
    assert "belong together" in refused({"--order": None})
    assert "belong together" in refused({"--order": "middle"})
    assert "bits" in refused({"--length": 2048})
    assert "power" in refused({"--carry-modulus": 3})
    assert "power" in refused({"--message-modulus": 64, "--carry-modulus": 8})
    assert own.run_json("decryption", "key", "list") == []
    # In another format it is named for what it is.
    file = own.home / "two.key"
    file.write_bytes((VECTORS / "concrete" / entry["key"]["file"]).read_bytes())
    file.chmod(0o600)
    result = own.run("decryption", "key", "import", "--name", "two", "--format", "safe-0.5", "--published", file, check=False)
    assert result.returncode == 1 and "concrete-lwe" in result.stderr
    # It stands among this program's tests, so without a word it guards nothing.
    flat = [part for pair in right.items() for part in pair]
    result = own.run("decryption", "key", "import", "--name", "two", "--format", "concrete-lwe", *flat, file, check=False)
    assert result.returncode == 1 and "public" in result.stderr
    assert take(own, "one", entry, *flat).returncode == 0
    record = own.run_json("decryption", "key", "show", "one")[0]
    assert (record["length"], record["carryModulus"], record["order"], record["state"]) == (
        entry["length"], entry["carry_modulus"], "big", "enabled")
