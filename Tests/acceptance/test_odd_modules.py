"""Modules that refuse one thing or another: named with the role and the mechanism, told by the probe, nothing left behind."""
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from daemon import BINARY, Installation
from oddmodule import OddToken

pytestmark = pytest.mark.pkcs11


@pytest.fixture
def odd(tmp_path):
    installation = Installation(tmp_path / "home", token=OddToken)
    yield installation
    installation.end()


# By what the module does: the role that `kmsd init` names, the call, what it needs, and the exit codes of `init` and of a probe that
# writes. 1087 is CKM_AES_GCM, 1041 CKM_ECDSA. What a token without AES-GCM gets: test_without_gcm.py.
REFUSALS = {
    "C_EncryptInit@1087=5": ("root-lock", "CKR_GENERAL_ERROR", "CKM_AES_GCM", 1, 2),
    "C_EncryptInit@1087=30": ("root-lock", "CKR_DEVICE_ERROR", "CKM_AES_GCM", 69, 2),
    "C_GenerateKeyPair=70": ("audit", "CKR_MECHANISM_INVALID", "CKM_EC_KEY_PAIR_GEN", 1, 2),
    "C_GenerateKeyPair=5": ("audit", "CKR_GENERAL_ERROR", "CKM_EC_KEY_PAIR_GEN", 1, 2),
    "C_SignInit@1041=70": ("audit", "CKR_MECHANISM_INVALID", "CKM_ECDSA", 1, 2),
    "C_SignInit@1041=68": ("audit", "CKR_KEY_FUNCTION_NOT_PERMITTED", "CKM_ECDSA", 1, 2),
    "C_DigestInit=70": ("audit", "CKR_MECHANISM_INVALID", "CKM_SHA256", 1, 2),
    "C_WrapKey=30": ("resident-wrap", "CKR_DEVICE_ERROR", "CKM_AES_KEY_WRAP_PAD", 69, 2),
    "C_GenerateKey@2=d1": ("root-lock", "CKR_TEMPLATE_INCONSISTENT", "CKM_AES_KEY_GEN", 1, 2),
}


@pytest.mark.parametrize("rule", REFUSALS)
def test_init_names_role_call_and_mechanism_and_leaves_nothing(odd, rule):
    role, value, mechanism, code, probed = REFUSALS[rule]
    odd.token.odd = rule
    found = odd.run("token", "probe", "--write", check=False)
    assert found.returncode == probed, found.stdout + found.stderr
    said = odd.run("init", check=False)
    assert said.returncode == code, said.stderr
    for word in (f"'{role}'", value, mechanism):
        assert word in said.stderr, said.stderr
    assert odd.token.objects() == [], "nothing of it is left on the token"
    assert not (odd.home / "manifest.json").exists()
    odd.token.odd = ""
    odd.init()
    odd.start().terminate()


def test_what_a_module_does_at_the_end_of_the_process_changes_no_exit_code(odd):
    odd.token.odd = "exit=1"
    odd.init()
    daemon = odd.start()
    assert daemon.client().create_keystore().create("ED25519").sign(b"m")
    assert daemon.terminate() == 0
    assert odd.run("token", "lint").returncode == 0


def test_a_module_whose_other_end_is_gone_ends_no_verb_by_a_signal(odd):
    odd.token.odd = "pipe=1"
    odd.init()
    assert odd.start().terminate() == 0
    for verb in (("token", "list"), ("token", "lint"), ("token", "probe"), ("doctor",)):
        assert odd.run(*verb, check=False).returncode in (0, 2), verb
    # Whoever reads no more still ends a verb so.
    shell = f"{{ sleep 0.2; {BINARY} token list; echo $? >&2; }} | true"
    ended = subprocess.run(["bash", "-c", shell], env=odd.environment(), capture_output=True, text=True, timeout=60)
    assert ended.stderr.strip() == "141", ended


# What a key does not tell of itself: the attribute, and what the module answers to the question for it.
UNTOLD = {
    "C_GetAttributeValue@0=12": "CKA_CLASS", "C_GetAttributeValue@0=5": "CKA_CLASS", "C_GetAttributeValue@100=12": "CKA_KEY_TYPE",
    "C_GetAttributeValue@162=12": "CKA_EXTRACTABLE", "C_GetAttributeValue@162=5": "CKA_EXTRACTABLE",
    "C_GetAttributeValue@103=5": "CKA_SENSITIVE", "C_GetAttributeValue@2=6": "CKA_PRIVATE", "C_GetAttributeValue@10c=5": "CKA_DERIVE",
}


@pytest.mark.parametrize("rule", UNTOLD)
def test_a_key_that_does_not_tell_what_it_is_is_not_used(odd, rule):
    odd.token.odd = rule
    found = odd.run_json("token", "probe", "--write", codes=(2,))
    assert {template["outcome"] for template in found["templates"] if template["name"] != "data"} == {"failed"}
    said = odd.run("init", check=False)
    assert said.returncode == 1 and f"does not tell its {UNTOLD[rule]}" in said.stderr, said.stderr
    assert not (odd.home / "manifest.json").exists()
    odd.token.odd = ""
    assert odd.token.objects() == [], "nothing of it is left on the token"
    odd.init()


def test_whether_a_key_may_be_given_further_uses_is_known_or_dispensed_with(odd):
    odd.token.odd = "C_GetAttributeValue@170=12"
    said = odd.run("init", check=False)
    assert said.returncode == 78 and "--without CKA_MODIFIABLE" in said.stderr, said.stderr
    odd.run("init", "--without", "CKA_MODIFIABLE")
    report = odd.run_json("token", "lint", codes=(2,))
    assert report["grade"] == "warning" and len(report["objects"]) == 6


@pytest.mark.parametrize("answer", ["12", "5"])
def test_an_object_that_does_not_tell_its_class_is_graded_as_a_key(odd, answer):
    odd.init()
    odd.token.tool("--keygen", "--key-type", "AES:32", "--label", "open", "--id", "11", "--extractable")
    odd.token.odd = f"C_GetAttributeValue@0={answer}"
    report = odd.run_json("token", "lint", codes=(2,))
    assert report["findings"] == [], "the keys of the manifest are there"
    found = {entry["label"].rsplit("/", 2)[-2 if "/" in entry["label"] else -1]: entry for entry in report["objects"]}
    for label, entry in found.items():
        assert "CKA_CLASS" in [finding["attribute"] for finding in entry["findings"]], entry
        assert entry["grade"] == ("bad" if label == "open" else "warning"), entry
    assert "CKA_EXTRACTABLE" in [finding["attribute"] for finding in found["open"]["findings"]]


@pytest.mark.parametrize("rule, missing", [
    ("C_EncryptInit@1087=70;C_DeriveKey@1050=70;C_GenerateKeyPair@0=70", "root-lock"), ("C_SignInit@1041=70", "ecdsa-p256, result-key")])
def test_a_probe_says_that_a_token_cannot_be_used(odd, rule, missing):
    odd.token.odd = rule
    found = odd.run("token", "probe", check=False)
    assert found.returncode == 2 and f"cannot use this token: it lacks {missing}" in found.stdout, found.stdout


@pytest.mark.parametrize("rule", [
    "C_WrapKey=70", "C_UnwrapKey=70", "C_CreateObject=54", "C_GenerateRandom=54", "C_GetAttributeValue@90=12",
    "C_GetAttributeValue@163=12", "C_GetAttributeValue@180=12"])
def test_what_can_be_dispensed_with_keeps_nobody_from_sealed_keystores(odd, rule):
    odd.token.odd = rule
    odd.init()
    assert odd.run("token", "lint").returncode == 0
    daemon = odd.start()
    key = daemon.client().create_keystore().create("ED25519")
    signature = key.sign(b"m")
    assert daemon.terminate() == 0
    odd.token.odd = ""
    assert odd.run_json("audit", "verify").get("finding") is None
    assert signature


# By what the module answers to every verb: the exit code, and words of what to do.
AWAY = {
    "C_Initialize=7": (69, "token-module-init-file"), "C_Initialize=5": (69, "its own configuration"),
    "C_OpenSession=b1": (69, "token-sessions"), "C_OpenSession=b8": (69, "security officer"), "C_Login=a0": (77, "pin-source"),
    "C_Login=a4": (77, "locked after wrong tries"), "C_Login=a3": (77, "has expired"), "C_Login=102": (77, "no user PIN yet"),
    "C_Login=104": (69, "security officer"), "C_Login=105": (69, "security officer"),
}


@pytest.mark.parametrize("rule", AWAY)
def test_a_token_that_lets_nobody_in_is_told_with_what_to_do(odd, rule):
    code, words = AWAY[rule]
    odd.token.odd = rule
    verbs = ("token", "probe"), ("token", "lint"), ("init",)
    # Each waits some seconds for a token that may come back.
    with ThreadPoolExecutor() as pool:
        answers = list(pool.map(lambda verb: odd.run(*verb, check=False), verbs))
    for verb, said in zip(verbs, answers):
        assert said.returncode == code and words in said.stderr, (verb, said.returncode, said.stderr)
    odd.token.odd = ""
    assert odd.token.objects() == []


def test_what_cannot_be_cleared_away_is_cleared_away_by_the_next_try(odd):
    """A token that says the login is gone takes no further call."""
    odd.token.odd = "C_Sign=101"
    said = odd.run("init", check=False)
    assert said.returncode == 69 and "'audit'" in said.stderr and "CKM_ECDSA" in said.stderr, said.stderr
    odd.token.odd = ""
    odd.init()
    assert len(odd.token.objects()) == 6


def test_a_token_that_takes_no_more_objects_is_told(odd):
    """Keys are made; the rest of the start is refused, says so, and the next try clears away what was made."""
    odd.token.odd = "C_CreateObject=e2"
    said = odd.run("init", check=False)
    assert said.returncode == 1 and "write-protected" in said.stderr and "kmsd init" in said.stderr, said.stderr
    odd.token.odd = ""
    assert "Cleared away 6 objects" in odd.run("init").stdout
    assert len(odd.token.objects()) == 6


@pytest.mark.parametrize("value", ["5", "1b", "30"], ids=["failure", "prohibited", "device error"])
def test_a_token_that_destroys_no_data_objects_is_not_filled_with_them(odd, value):
    """What the token is to remember replaces what it remembered; a second try after the failure made one more object each second."""
    odd.init()
    odd.start().terminate()
    odd.token.odd = f"C_DestroyObject@0={value}"

    def kept():
        return odd.token.tool("--list-objects", "--type", "data").stdout.count("Data object")

    for _ in range(3):
        daemon = odd.start()
        key = daemon.client().create_keystore().create("ED25519")
        key.verify(key.sign(b"m"), b"m")
        # Long enough for a second try, and a third.
        time.sleep(3)
        assert kept() <= 5
        assert daemon.terminate() == 0
    assert kept() <= 5
    assert "cannot remember" in daemon.log()
    odd.token.odd = ""
    odd.start().terminate()
    assert kept() == 1
