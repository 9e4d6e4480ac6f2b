"""`kmsd token copy`: keys and objects that are nobody's, from one PKCS #11 token to another, proved by use."""
import datetime
import json
import os
import pty
import re
import signal
import subprocess
import time

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from daemon import BINARY
from nsstoken import NSSToken
from softtoken import MODULE, SPY, write_private
from tokenpair import TokenPair, mutant

pytestmark = pytest.mark.pkcs11

EVERY_KIND = {
    "rsa": ("11", "--key-type", "rsa:2048", "--extractable"),
    "p256": ("12", "--key-type", "EC:prime256v1", "--usage-sign", "--extractable"),
    "p384": ("13", "--key-type", "EC:secp384r1", "--usage-sign", "--extractable"),
    "p521": ("14", "--key-type", "EC:secp521r1", "--usage-sign", "--extractable"),
    "aes-256": ("16", "--key-type", "AES:32", "--extractable", "--sensitive"),
    "aes-128": ("17", "--key-type", "AES:16", "--extractable", "--sensitive"),
    "hmac-32": ("19", "--key-type", "GENERIC:32", "--extractable", "--sensitive", "--usage-sign"),
}


@pytest.fixture
def pair(tmp_path):
    return TokenPair(tmp_path / "home")


@pytest.fixture
def full(pair):
    for label, (identifier, *arguments) in EVERY_KIND.items():
        pair.make(label, identifier, *arguments)
    return pair


def outcomes(entries):
    return {name: entry["outcome"] for name, entry in entries.items()}


def public_key(pair, token, identifier):
    """As the token shows it, read by another program."""
    path = pair.home / "public.der"
    pair.on(token, "--read-object", "--type", "pubkey", "--id", identifier, "--output-file", str(path))
    return serialization.load_der_public_key(path.read_bytes())


def shown_point(pair, token, label, curve):
    """The public key of a curve, from the list of objects: OpenSC reads only some of them as objects."""
    (lines,) = [lines for (kind, name), lines in attributes(pair.listed(token)).items()
                if name == label and kind.startswith("Public")]
    (encoded,) = [bytes.fromhex(line.split()[1]) for line in lines if line.startswith("EC_POINT:")]
    return ec.EllipticCurvePublicKey.from_encoded_point(curve, encoded[3 if encoded[1] == 0x81 else 2:])


def signs(pair, token, identifier, public, mechanism):
    """Whether a signature of the token's private key is one of the public key: by another program and another library."""
    message = pair.home / "message"
    message.write_bytes(b"of the target")
    digest = hashes.Hash(hashes.SHA256())
    digest.update(message.read_bytes())
    hashed = digest.finalize()
    source = message
    if mechanism == "ECDSA":
        source = pair.home / "digest"
        source.write_bytes(hashed)
    made = pair.home / "signature"
    pair.on(token, "--sign", "--id", identifier, "--mechanism", mechanism, "--input-file", str(source), "--output-file",
            str(made))
    signature = made.read_bytes()
    if isinstance(public, rsa.RSAPublicKey):
        return public.verify(signature, message.read_bytes(), padding.PKCS1v15(), hashes.SHA256()) is None
    half = len(signature) // 2
    encoded = encode_dss_signature(int.from_bytes(signature[:half]), int.from_bytes(signature[half:]))
    return public.verify(encoded, message.read_bytes(), ec.ECDSA(hashes.SHA256())) is None


def attributes(listed):
    """What pkcs11-tool shows of each object: (kind, label), and the lines below."""
    found = {}
    for block in filter(None, re.split(r"\n(?=\S)", listed.strip())):
        lines = [line.strip() for line in block.splitlines()]
        label = next((line.removeprefix("label:").strip() for line in lines if line.startswith("label:")), "")
        # SoftHSM tells no length of a key that it unwrapped.
        found[re.sub(r" length \d+", "", lines[0].split(",")[0]), label] = lines[1:]
    return found


# What moves, and that it is what it was.

def test_every_kind_of_key_arrives_as_itself_with_its_names_and_uses(full):
    report, entries = full.copy()
    assert set(outcomes(entries).values()) == {"copied"}, entries
    assert len(entries) == 11 and report["transport"].startswith("AES-256 agreed by ECDH on P-521")
    assert attributes(full.listed("new")).keys() == attributes(full.listed("old")).keys()
    for label, mechanism in (("rsa", "SHA256-RSA-PKCS"), ("p256", "ECDSA")):
        identifier = EVERY_KIND[label][0]
        known = public_key(full, "old", identifier)
        assert public_key(full, "new", identifier) == known
        assert signs(full, "new", identifier, known, mechanism)
    for entry in entries.values():
        assert entry["proof"] and entry["route"], entry
    shown = attributes(full.listed("new"))
    usage = {name: [line for line in lines if line.startswith("Usage")] for name, lines in shown.items()}
    assert usage == {name: [line for line in lines if line.startswith("Usage")]
                     for name, lines in attributes(full.listed("old")).items()}
    assert "kmsd-copy/" not in full.listed("new") + full.listed("old")


def test_a_copied_aes_key_opens_what_the_source_sealed(full):
    clear, sealed, opened = (full.home / name for name in ("clear", "sealed", "opened"))
    clear.write_bytes(b"sixteen bytes..!" * 2)
    crypt = ("--id", "16", "--mechanism", "AES-CBC", "--iv", "00" * 16)
    full.on("old", "--encrypt", *crypt, "--input-file", str(clear), "--output-file", str(sealed))
    full.copy("--match", "object=aes-256")
    full.on("new", "--decrypt", *crypt, "--input-file", str(sealed), "--output-file", str(opened))
    assert opened.read_bytes() == clear.read_bytes() != sealed.read_bytes()


def test_a_second_run_finds_what_is_there_and_changes_nothing(full):
    full.copy()
    before = {path: path.read_bytes() for path in full.tokens.glob("*/*.object") if path.name != "token.object"}
    report, entries = full.copy()
    assert set(outcomes(entries).values()) == {"present"}
    assert before == {path: path.read_bytes() for path in full.tokens.glob("*/*.object") if path.name != "token.object"}
    assert report["leftovers"] == 0 and report.get("transport") is None


def test_a_rehearsal_says_it_all_and_writes_nothing(full):
    full.make("fixed", "1c", "--key-type", "EC:prime256v1", "--usage-sign")
    before = sorted(full.tokens.glob("*/*"))
    report, entries = full.copy("--dry-run", codes=(2,))
    assert report["isDryRun"] and entries["private-key", "fixed"]["outcome"] == "stays"
    told = outcomes(entries)
    del told["private-key", "fixed"]
    assert set(told.values()) == {"would-copy"}
    assert entries["private-key", "p256"]["proof"] and "CKM_AES_KEY_WRAP" in entries["private-key", "p256"]["route"]
    assert sorted(full.tokens.glob("*/*")) == before


def test_through_nss_and_back_every_key_is_still_itself(full, tmp_path):
    """A second vendor's module: other mechanism numbers, other points, other ideas of attributes."""
    (tmp_path / "nss").mkdir(mode=0o700)
    nss = NSSToken(tmp_path / "nss")
    full.add("back")
    there = ["token", "copy", "--from", full.uri(label="old"), "--to", nss.uri(), "--to-module-init-file", nss.init_file]
    back = ["token", "copy", "--from", nss.uri(), "--to", full.uri(label="back"), "--from-module-init-file", nss.init_file]
    secret = [word for name in EVERY_KIND for word in ("--match", f"object={name}")]
    for journey in (there, back):
        made = subprocess.run([str(BINARY), *journey, *secret], env=full.environment(), text=True, capture_output=True,
                              timeout=600, stdin=subprocess.DEVNULL)
        assert made.returncode == 0, made.stdout + made.stderr
    assert signs(full, "back", "11", public_key(full, "old", "11"), "SHA256-RSA-PKCS")
    for label, curve in (("p256", ec.SECP256R1()), ("p384", ec.SECP384R1()), ("p521", ec.SECP521R1())):
        assert signs(full, "back", EVERY_KIND[label][0], shown_point(full, "old", label, curve), "ECDSA")
    report, entries = full.copy(source="old", target="back", codes=(0, 2))
    private = {name: told for name, told in outcomes(entries).items() if name[0].endswith("-key")}
    assert set(private.values()) == {"present"}, entries


def test_certificates_public_keys_and_data_go_along(pair):
    pair.make("web", "21", "--key-type", "rsa:2048", "--extractable")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name.from_rfc4514_string("CN=web")
    now = datetime.datetime.now(datetime.timezone.utc)
    made = (x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
            .serial_number(7).not_valid_before(now).not_valid_after(now + datetime.timedelta(days=9))
            .sign(key, hashes.SHA256()))
    certificate, note = pair.home / "web.der", pair.home / "note"
    certificate.write_bytes(made.public_bytes(serialization.Encoding.DER))
    note.write_text("public words")
    pair.on("old", "--write-object", str(certificate), "--type", "cert", "--id", "21", "--label", "web")
    pair.on("old", "--write-object", str(note), "--type", "data", "--label", "note", "--application-label", "app")
    pair.on("old", "--write-object", str(note), "--type", "data", "--label", "diary", "--private")
    report, entries = pair.copy(codes=(2,))
    assert outcomes(entries) == {
        ("private-key", "web"): "copied", ("public-key", "web"): "copied", ("certificate", "web"): "copied",
        ("data", "note"): "copied", ("data", "diary"): "stays"}
    assert "in the clear" in entries["data", "diary"]["detail"]
    out = pair.home / "out"
    pair.on("new", "--read-object", "--type", "cert", "--id", "21", "--output-file", str(out))
    assert out.read_bytes() == certificate.read_bytes()
    pair.on("new", "--read-object", "--type", "data", "--label", "note", "--application-label", "app", "--output-file",
            str(out))
    assert out.read_bytes() == note.read_bytes()
    assert set(outcomes(pair.copy(codes=(2,))[1]).values()) == {"present", "stays"}


def test_a_bar_is_shown_on_a_terminal_and_nowhere_else(pair):
    pair.make("aes", "22", "--key-type", "AES:32", "--extractable", "--sensitive")
    assert pair.run("--dry-run").stderr == ""
    ours, theirs = pty.openpty()
    subprocess.run([str(BINARY), *pair.arguments()], env=pair.environment(), stdout=subprocess.DEVNULL, stderr=theirs,
                   stdin=subprocess.DEVNULL, timeout=300, check=True)
    os.close(theirs)
    assert b"] 1 of 1" in os.read(ours, 65536)
    os.close(ours)


# What does not move, with the reason.

def test_what_cannot_move_stays_and_says_why(pair):
    pair.make("fixed", "31", "--key-type", "EC:prime256v1", "--usage-sign")
    pair.make("ed", "32", "--key-type", "EC:edwards25519", "--usage-sign", "--extractable")
    pair.make("lonely", "33", "--key-type", "EC:prime256v1", "--usage-sign", "--extractable")
    pair.on("old", "--delete-object", "--type", "pubkey", "--id", "33")
    report, entries = pair.copy(codes=(2,))
    fixed = entries["private-key", "fixed"]
    assert fixed["outcome"] == "stays" and "CKA_EXTRACTABLE" in fixed["detail"] and "new key" in fixed["remedy"]
    assert entries["private-key", "ed"]["outcome"] == "refused"
    assert "CKR_KEY_NOT_WRAPPABLE" in entries["private-key", "ed"]["detail"]
    lonely = entries["private-key", "lonely"]
    assert lonely["outcome"] == "stays" and "public key" in lonely["detail"]
    assert {entry["outcome"] for name, entry in entries.items() if name[0] == "public-key"} == {"copied"}
    assert "Private" not in pair.listed("new")


def test_a_ca_id_that_is_taken_is_never_used(pair):
    pair.make("mine", "41", "--key-type", "AES:32", "--extractable", "--sensitive")
    pair.make("theirs", "41", "--key-type", "AES:32", "--extractable", "--sensitive", token="new")
    before = pair.listed("new")
    report, entries = pair.copy(codes=(2,))
    entry = entries["secret-key", "mine"]
    assert entry["outcome"] == "refused" and "taken" in entry["detail"] and "'theirs'" in entry["detail"]
    assert pair.listed("new") == before


def test_a_key_that_is_there_but_weaker_is_not_called_present(pair):
    value = pair.home / "value"
    value.write_bytes(os.urandom(32))
    for token, more in (("old", ("--sensitive",)), ("new", ())):
        pair.on(token, "--write-object", str(value), "--type", "secrkey", "--key-type", "AES:32", "--id", "42", "--label",
                "twin", "--extractable", *more)
    report, entries = pair.copy(codes=(2,))
    entry = entries["secret-key", "twin"]
    assert entry["outcome"] == "refused" and "CKA_SENSITIVE is no longer true" in entry["detail"], entry


def test_an_hmac_key_of_an_odd_length_keeps_it(pair):
    """Modules fill 20 bytes up to 24 with zeros before they wrap them, and a MAC does not tell the difference."""
    for size, identifier in ((20, "51"), (33, "52"), (64, "53")):
        pair.make(f"hmac-{size}", identifier, "--key-type", f"GENERIC:{size}", "--extractable", "--sensitive", "--usage-sign")
    report, entries = pair.copy(codes=(0, 2))
    for entry in entries.values():
        # What cannot be told apart is not taken for the same.
        assert entry["outcome"] in ("copied", "stays", "refused"), entry
        if entry["outcome"] == "copied":
            assert "C_DigestKey" in entry["proof"] or "bytes long" in entry["proof"], entry


# Bad input.

def test_bad_input_is_refused_before_anything_is_done(pair):
    pair.make("aes", "61", "--key-type", "AES:32", "--extractable")
    wrong = pair.home / "wrong.pin"
    write_private(wrong, "no-such-pin")
    good, other = pair.uri(label="old"), pair.uri(label="new")
    bad = {
        (good, good): (78, "the same token"),
        (good, other.split("&pin")[0]): (78, "--to lacks 'pin-source="),
        (good.replace("token=old", "serial=0"), other): (69, "Source"),
        ("pkcs11:object=x", other): (78, "--from names a token"),
        (good, other.replace("token=new", "token=new;type=private")): (78, "--to names a token"),
        (good, "tpm:device"): (78, "--to"),
        (good, pair.uri(label="nobody")): (69, "Target"),
        (good, pair.uri(label="new", module="/no/such.so")): (78, "Target"),
        (good, pair.uri(label="new", pin_file=wrong)): (77, "Target"),
    }
    for (source, target), (code, words) in bad.items():
        said = subprocess.run([str(BINARY), "token", "copy", "--from", source, "--to", target], env=pair.environment(),
                              text=True, capture_output=True, timeout=300, stdin=subprocess.DEVNULL)
        assert said.returncode == code and words in said.stderr, (target, said)
        assert "no-such-pin" not in said.stderr
    for match, words in (("label=x", "label"), ("token=old", "--match takes"), ("object=nothing-like-it", "matches"), ("", "--match")):
        said = pair.run("--match", match, codes=(1, 78))
        assert words in said.stderr, said.stderr
    assert "aes" not in pair.listed("new")


def test_a_wrong_pin_is_tried_once(pair):
    wrong = pair.home / "wrong.pin"
    write_private(wrong, "no-such-pin")
    environment = pair.environment(PKCS11SPY=MODULE, PKCS11SPY_OUTPUT=str(pair.home / "spy"))
    said = subprocess.run(
        [str(BINARY), "token", "copy", "--from", pair.uri(label="old", module=SPY), "--to",
         pair.uri(label="new", module=SPY, pin_file=wrong)], env=environment, text=True, capture_output=True, timeout=300,
        stdin=subprocess.DEVNULL)
    assert said.returncode == 77 and "pin-source" in said.stderr, said.stderr
    assert (pair.home / "spy").read_text().count(": C_Login\n") == 2


# Interrupted.

def test_killed_at_any_moment_it_goes_on_and_leaves_nothing(full):
    """Each unwrapping takes 50 ms here, so that a kill meets every part of it."""
    full.make("more", "71", "--key-type", "AES:32", "--extractable", "--sensitive")
    places = {"module": mutant()[1]}
    environment = full.environment(MUTANT="wait=32")
    killed = 0
    for moment in range(20):
        process = subprocess.Popen([str(BINARY), *full.arguments(**places)], env=environment, stdin=subprocess.DEVNULL,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(0.1 + 0.08 * moment)
        killed += process.poll() is None
        process.send_signal(signal.SIGKILL)
        process.wait()
        full.mend()
        names = {name for name in attributes(full.listed("new")) if not name[1].startswith("kmsd-copy/")}
        assert names <= set(attributes(full.listed("old"))), "nothing but what is on the source"
    assert killed, "no kill met a copy at work"
    assert full.run("--dry-run", codes=(0,)).returncode == 0
    report, entries = full.copy()
    assert set(outcomes(entries).values()) <= {"copied", "present"}
    assert len(entries) == 12
    assert "kmsd-copy/" not in full.listed("new") + full.listed("old")


def test_a_token_that_makes_no_session_objects_keeps_nothing_after_the_copy(full):
    result = full.run("--output", "json", variables={"MUTANT": "tokens=1"}, module=mutant()[1])
    assert {entry["outcome"] for entry in json.loads(result.stdout)["objects"]} == {"copied"}
    assert "kmsd-copy/" not in full.listed("new") + full.listed("old")
    assert set(outcomes(full.copy()[1]).values()) == {"present"}


def test_what_an_interrupted_copy_left_is_found_and_removed(pair):
    pair.make("aes", "81", "--key-type", "AES:32", "--extractable", "--sensitive")
    pair.make("kmsd-copy/transit", "82", "--key-type", "AES:32", token="new")
    # Somebody's own keys, whatever they begin with.
    pair.make("kmsd-copy/mine", "83", "--key-type", "AES:32", "--extractable", "--sensitive")
    report, entries = pair.copy("--dry-run")
    assert report["leftovers"] == 1 and "kmsd-copy/transit" in pair.listed("new")
    report, entries = pair.copy()
    assert report["leftovers"] == 1 and outcomes(entries) == {("secret-key", "aes"): "copied",
                                                              ("secret-key", "kmsd-copy/mine"): "copied"}
    assert "kmsd-copy/transit" not in pair.listed("new") and "kmsd-copy/mine" in pair.listed("old")


# Wrong arrivals, as real modules had them: none passes for a good one.

MUTANTS = {
    "the mechanism by which it is wrapped is another one": "wrap-as=2109",
    "the mechanism by which it is unwrapped is another one": "unwrap-as=2109",
    "a cut AES key": "cut=10;kind=1f", "a longer AES key": "longer=8;kind=1f", "another AES key": "other=1;kind=1f",
    "a cut secret": "cut=8;kind=10", "a secret with zeros at its end": "longer=8;kind=10",
    "a secret with one byte more": "longer=1;kind=10", "another secret": "other=1;kind=10",
    "another EC key": "other=1;kind=3", "another RSA key": "other=1;kind=0",
    "readable and extractable": "open=1", "its sensitivity is lost": "lose=103",
    "a cut AES key only when it stays": "cut=10;kind=1f;landing=1", "another AES key only when it stays": "other=1;kind=1f;landing=1",
    "another EC key only when it stays": "other=1;kind=3;landing=1", "open only when it stays": "open=1;landing=1",
    "a longer secret only when it stays": "longer=8;kind=10;landing=1",
    "its name is lost when it stays": "lose=3;landing=1", "its identifier is lost when it stays": "lose=102;landing=1",
}


@pytest.mark.parametrize("fault", MUTANTS.values(), ids=MUTANTS)
def test_no_wrong_arrival_passes_for_a_good_one(full, fault):
    """Whatever the copy says was copied is compared once more without the module that errs; the rest must not be there."""
    places = {"module": mutant()[1]}
    result = full.run("--output", "json", codes=(0, 2), variables={"MUTANT": fault}, **places)
    claimed = {(entry["objectClass"], entry["label"]): entry for entry in json.loads(result.stdout)["objects"]}
    shown = full.listed("new")
    assert "kmsd-copy/" not in shown
    _, entries = full.copy("--dry-run", codes=(0, 2))
    for name, entry in claimed.items():
        if entry["outcome"] == "copied":
            assert entries[name]["outcome"] == "present", (fault, entry, entries[name])
        else:
            assert entries[name]["outcome"] == "would-copy", (fault, entry, entries[name])
    keys = {name: entry["outcome"] for name, entry in claimed.items() if name[0] != "public-key"}
    assert "refused" in keys.values() or fault.endswith("2109"), f"the fault met nothing: {keys}"


def test_a_target_that_replaces_keys_of_one_identifier_loses_none(pair):
    """A second key with a CKA_ID replaced the first, with CKR_OK: so none is ever made with one that is taken."""
    pair.make("theirs", "91", "--key-type", "AES:32", "--extractable", "--sensitive", token="new")
    pair.make("mine", "91", "--key-type", "AES:32", "--extractable", "--sensitive")
    pair.make("free", "92", "--key-type", "AES:32", "--extractable", "--sensitive")
    result = pair.run(codes=(2,), variables={"MUTANT": "replace=1"}, module=mutant()[1])
    assert "1 copied, 1 refused" in result.stdout
    assert "theirs" in pair.listed("new") and "mine" not in pair.listed("new")
