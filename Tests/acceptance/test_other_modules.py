"""Modules that are not SoftHSM: NSS softokn, and p11-kit's server in front of SoftHSM."""
import json
import os
import shutil
import socket
import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from daemon import Installation, eventually
from nsstoken import DISPENSED, LABEL, MODULE, NSSToken
from softtoken import MODULE as SOFTHSM
from softtoken import SoftToken, write_private
from webkms_client import Key, Keystore, KMSError

LIBRARIES = f"/usr/lib/{os.uname().machine}-linux-gnu"


@pytest.fixture
def nss(tmp_path):
    installation = Installation(tmp_path / "home", token=NSSToken)
    yield installation
    installation.end()


@pytest.fixture
def soft(tmp_path):
    installation = Installation(tmp_path / "home", token=SoftToken)
    yield installation
    installation.end()


def manifest(installation):
    return json.loads((installation.home / "manifest.json").read_text())


def write_manifest(installation, value):
    write_private(installation.home / "manifest.json", json.dumps(value))


# What a module wants to be told at its start.

def test_a_module_that_wants_to_be_told_something_says_where_to_write_it(nss):
    said = nss.run("init", check=False, KMS_TOKEN_MODULE_INIT_FILE="")
    assert said.returncode == 69 and "token-module-init-file" in said.stderr, said.stderr
    assert "CKR_ARGUMENTS_BAD" in said.stderr and "SOFTHSM2_CONF" not in said.stderr
    listed = nss.run_json("token", "list")
    assert [entry["label"] for entry in listed if entry["isConfigured"]] == [LABEL]
    by_flag = nss.run_json("token", "list", "--token-module-init-file", nss.token.init_file,
                           KMS_TOKEN_MODULE_INIT_FILE=None)
    assert by_flag == listed


@pytest.mark.parametrize("spoil, code, words", [
    (lambda file: file.chmod(0o644), 77, "wider than 600"),
    (lambda file: file.unlink(), 77, "cannot be opened"),
    (lambda file: file.write_text(""), 77, "1 to 4096 bytes"),
    (lambda file: file.write_text("a\nb"), 77, "one line"),
    (lambda file: file.write_text("configdir='sql:/nowhere' password='tell-nobody'"), 69, "does not take"),
], ids=["readable", "gone", "empty", "two-lines", "of-nowhere"])
def test_a_string_that_is_not_fit_is_refused_and_never_shown(nss, spoil, code, words):
    spoil(nss.token.init_file)
    for verb in ("init", "doctor"):
        said = nss.run(verb, check=False)
        assert words in said.stdout + said.stderr, said
        assert "tell-nobody" not in said.stdout + said.stderr
        assert verb == "doctor" or said.returncode == code, said


def test_a_module_that_takes_no_string_says_so(soft):
    file = soft.home / "told"
    write_private(file, "configdir='sql:/tmp'")
    said = soft.run("init", check=False, KMS_TOKEN_MODULE_INIT_FILE=str(file))
    assert said.returncode == 69 and "token-module-init-file" in said.stderr
    assert "expected an absolute path" in soft.run(
        "init", check=False, KMS_TOKEN_MODULE_INIT_FILE="told").stderr


@pytest.mark.parametrize("linked", [False, True])
def test_the_proxy_is_refused_with_the_way_round(soft, linked):
    path = f"{LIBRARIES}/p11-kit-proxy.so"
    if linked:
        (soft.home / "another-name.so").symlink_to(path)
        path = soft.home / "another-name.so"
    said = soft.run("init", check=False, KMS_TOKEN_URI=soft.token.uri(module=path))
    assert said.returncode == 78 and "proxy" in said.stderr and "p11-kit list-modules" in said.stderr, said.stderr
    uri = soft.token.uri().replace("module-path=" + SOFTHSM, "module-name=softhsm2")
    said = soft.run("init", check=False, KMS_TOKEN_URI=uri)
    assert said.returncode == 78 and "p11-kit list-modules" in said.stderr


# What a probe tells, and what init does with it.

def test_a_probe_that_writes_tells_what_becomes_of_each_attribute(nss):
    report = nss.run_json("token", "probe", "--write", codes=(2,))
    templates = {template["name"]: template for template in report["templates"]}
    assert set(templates) == {"AES-256-GCM", "AES-256-KWP", "EC-P256", "EC-secp256k1", "data"}
    for name in ("AES-256-GCM", "AES-256-KWP", "EC-P256"):
        fates = {entry["name"]: entry["outcome"] for entry in templates[name]["attributes"]}
        assert templates[name]["outcome"] == "failed" and templates[name]["detail"].startswith("CKR_GENERAL_ERROR")
        assert {attribute for attribute, fate in fates.items() if fate == "refused"} == {"CKA_ALLOWED_MECHANISMS"}
        assert fates["CKA_SENSITIVE"] == fates["CKA_PRIVATE"] == fates["CKA_MODIFIABLE"] == "kept"
    assert templates["EC-secp256k1"]["outcome"] == templates["data"]["outcome"] == "absent"
    assert "CKR_DOMAIN_PARAMS_INVALID" in templates["EC-secp256k1"]["detail"]
    outcomes = {entry["name"]: entry["outcome"] for entry in report["capabilities"]}
    assert outcomes["ecdsa-secp256k1"] == "absent" and outcomes["result-key"] == "ok"
    assert outcomes["key-history-told"] == "absent"
    assert nss.run_json("token", "lint")["objects"] == [], "the probe left something behind"


def test_a_probe_that_writes_finds_nothing_on_softhsm_and_removes_what_probes_left(soft):
    # Left by a probe that was interrupted; and somebody's own, which only begins so.
    for label in ("kmsd-probe/" + "0f" * 16, "kmsd-probe/mine"):
        soft.token.tool("--keygen", "--key-type", "AES:32", "--label", label, "--id", "07")
    report = soft.run_json("token", "probe", "--write")
    for template in report["templates"]:
        assert template["outcome"] == "ok", template
        assert {entry["outcome"] for entry in template["attributes"]} <= {"kept", "untold"}, template
    assert "templates" not in soft.run_json("token", "probe")
    assert [found["label"] for found in soft.run_json("token", "lint", codes=(2,))["objects"]] == ["kmsd-probe/mine"]


def test_init_names_role_call_and_attribute_and_does_without_only_if_told(nss):
    said = nss.run("init", check=False)
    assert said.returncode == 1
    for word in ("'root-lock'", "C_GenerateKey ", "CKR_GENERAL_ERROR", "Without CKA_ALLOWED_MECHANISMS",
                 "kmsd init --without CKA_ALLOWED_MECHANISMS"):
        assert word in said.stderr, said.stderr
    said = nss.run("init", "--without", "CKA_ALLOWED_MECHANISMS", check=False)
    assert said.returncode == 78 and "'resident-wrap'" in said.stderr, said.stderr
    assert "takes CKA_UNWRAP_TEMPLATE and does not obey it" in said.stderr
    assert nss.run_json("token", "lint")["objects"] == [] and not (nss.home / "manifest.json").exists()
    assert nss.run("init", "--without", "CKA_SENSITIVE", check=False).returncode == 64
    made = nss.run_json("init", *NSSToken.INIT)
    assert made["without"] == sorted(DISPENSED) and made["strangers"] == 0
    keys = manifest(nss)["keys"]
    assert keys["root-lock"]["without"] == ["CKA_ALLOWED_MECHANISMS"]
    assert keys["resident-wrap"]["without"] == sorted(DISPENSED)
    assert keys["result"]["kind"] == "EC-P256", "NSS has no secp256k1"
    report = nss.run_json("token", "lint", codes=(2,))
    found = {finding["attribute"]: finding["grade"] for entry in report["objects"] for finding in entry["findings"]}
    assert found == dict.fromkeys(DISPENSED, "warning"), "and nobody is accused of an import"


# Keys are proved by use.

def test_nss_serves_and_comes_back(nss):
    nss.run("init", *NSSToken.INIT)
    daemon = nss.start()
    key = daemon.client().create_keystore().create("ECDSAP256IEEEP1363")
    signature = key.sign(b"one")
    assert daemon.terminate() == 0
    assert nss.token.text not in daemon.log()
    client = nss.start().client()
    Key(Keystore(client, key.keystore.url), key.url, key.type).verify(signature, b"one")


def test_a_token_that_keeps_nothing_is_told_and_signs(nss):
    nss.run("init", *NSSToken.INIT)
    daemon = nss.start()
    daemon.client().create_keystore().create("ED25519")
    eventually(lambda: "cannot remember" in daemon.log(), 20, "the warning")
    # The start is signed while the daemon runs, and not only at its end.
    eventually(lambda: '"type":"checkpoint"' in nss.run("audit", "export").stdout, 60, "a checkpoint")
    assert daemon.terminate() == 0
    report = nss.run_json("doctor", codes=(2,))
    assert any(check["name"] == "audit" and "remembers nothing" in check["message"] for check in report["checks"]), report
    assert nss.run_json("audit", "verify").get("finding") is None


def test_a_public_object_is_no_memory_of_the_chain(soft, tmp_path):
    """On many tokens anybody makes public objects, without a PIN; the token's memory would be anybody's with them."""
    soft.init()
    daemon = soft.start()
    key = daemon.client().create_keystore().create("ED25519")
    assert daemon.terminate() == 0
    label = f"kmsd-kept/{manifest(soft)['instance']}/audit-head"
    older = tmp_path / "older"
    shutil.copytree(soft.home, older, ignore=lambda *_: ["tokens"])
    # What the token remembers now; who forges it computes it from the older chain.
    head = tmp_path / "head"
    soft.token.tool("--read-object", "--type", "data", "--label", label, "--output-file", str(head))
    daemon = soft.start()
    Key(Keystore(daemon.client(), key.keystore.url), key.url, key.type).disable()
    assert daemon.terminate() == 0
    for path in older.iterdir():
        for spoiled in soft.home.glob(path.name + "*"):
            spoiled.unlink()
        shutil.copy(path, soft.home / path.name)
    forged = tmp_path / "forged"
    forged.write_bytes((1 << 40).to_bytes(8, "big") + head.read_bytes()[8:])
    subprocess.run(["pkcs11-tool", "--module", SOFTHSM, "--token-label", soft.token.label, "--write-object", str(forged),
                    "--type", "data", "--label", label], env=soft.token.environment(), check=True, capture_output=True)
    daemon = soft.start(ready=False)
    eventually(lambda: [p for p in ((daemon.readiness() or (0, {}))[1].get("problems") or [])
                        if p["code"] == "untrusted" and "older copy" in p["message"]], 30, "the refusal")
    with pytest.raises(KMSError):
        Key(Keystore(daemon.client(), key.keystore.url), key.url, key.type).sign(b"m")
    assert daemon.terminate() == 0


def test_a_public_object_of_a_keys_name_stops_nobody(soft, tmp_path):
    """As above: whoever reaches the module could stop the daemon with a second key of a role's name."""
    soft.init()
    foreign = tmp_path / "key"
    foreign.write_bytes(bytes(32))
    for role in ("root-lock", "resident-wrap"):
        record = manifest(soft)["keys"][role]
        subprocess.run(["pkcs11-tool", "--module", SOFTHSM, "--token-label", soft.token.label, "--write-object", str(foreign),
                        "--type", "secrkey", "--key-type", "AES:32", "--id", record["id"], "--label", record["label"]],
                       env=soft.token.environment(), check=True, capture_output=True)
    daemon = soft.start()
    key = daemon.client().create_keystore().create("ED25519")
    key.verify(key.sign(b"m"), b"m")
    assert daemon.terminate() == 0
    strangers = [entry for entry in soft.run_json("token", "lint", codes=(1, 2))["objects"] if entry["findings"]]
    assert {entry["label"] for entry in strangers} >= {
        manifest(soft)["keys"][role]["label"] for role in ("root-lock", "resident-wrap")}


@pytest.mark.parametrize("role, usage", [
    ("resident-wrap", ("CKA_WRAP", "CKA_UNWRAP")), ("root-lock", ("CKA_ENCRYPT", "CKA_DECRYPT"))])
@pytest.mark.parametrize("claim", ["", "00aa11"])
def test_another_key_under_the_same_names_is_never_used(nss, role, usage, claim):
    """NSS has no check values of its own and keeps whatever a template claims."""
    nss.run("init", *NSSToken.INIT)
    recorded = manifest(nss)
    entry = recorded["keys"][role]
    assert entry["sentinel"], "a role without a sentinel"
    if claim and role == "resident-wrap":
        entry["fingerprint"] = claim
        write_manifest(nss, recorded)
    nss.token.replace_secret(entry["id"], entry["label"], claim or entry["fingerprint"], usage)
    said = nss.run("doctor", check=False)
    assert said.returncode == 2 and f"'{entry['label']}' is not the one that was provisioned" in said.stdout, said.stdout
    daemon = nss.start(ready=False)
    daemon.wait_for_readiness(503)
    eventually(lambda: "is not the one that was provisioned" in daemon.log(), 20, "the refusal in the log")


def test_an_older_manifest_goes_on_working_and_gets_what_it_lacks(soft):
    """As an earlier version left it: public halves are objects on the token, and the wrapping key has no sentinel."""
    soft.init()
    new = manifest(soft)
    old = json.loads(json.dumps(new))
    del old["keys"]["resident-wrap"]["sentinel"]
    for role in ("audit", "result"):
        entry = old["keys"][role]
        point = bytes.fromhex(entry.pop("publicKey"))
        curve = ec.SECP256K1() if entry["kind"] == "EC-secp256k1" else ec.SECP256R1()
        file = soft.home / f"{role}.der"
        file.write_bytes(ec.EllipticCurvePublicKey.from_encoded_point(curve, point).public_bytes(
            Encoding.DER, PublicFormat.SubjectPublicKeyInfo))
        soft.token.tool("--write-object", str(file), "--type", "pubkey", "--id", entry["id"], "--label", entry["label"])
    write_manifest(soft, old)
    daemon = soft.start()
    daemon.client().create_keystore(protection="resident").create("ECDSAP256IEEEP1363").sign(b"x")
    assert daemon.terminate() == 0
    assert soft.run_json("init")["keys"] == []
    done = manifest(soft)
    assert done["keys"]["resident-wrap"]["sentinel"]
    assert done["keys"]["audit"] == new["keys"]["audit"] and done["keys"]["result"] == new["keys"]["result"]
    assert not [entry for entry in soft.token.objects() if entry["kind"].startswith("Public")]
    assert "already-provisioned" in soft.run("init", "--output", "json", check=False).stdout + soft.run(
        "init", "--output", "json", check=False).stderr
    soft.start()


def test_an_absent_check_value_is_unknown_and_not_equal(soft):
    soft.init()
    recorded = manifest(soft)
    recorded["keys"]["resident-wrap"]["fingerprint"] = ""
    write_manifest(soft, recorded)
    soft.start().terminate()
    recorded["keys"]["resident-wrap"].pop("sentinel")
    write_manifest(soft, recorded)
    found = [finding["message"] for finding in soft.run_json("token", "lint", codes=(2,))["findings"]]
    assert len(found) == 1 and "Nothing on record proves" in found[0], found
    soft.start().terminate()


# p11-kit's server.

@pytest.fixture
def remote(soft):
    """The same token through p11-kit's client, and SoftHSM in the server's process."""
    soft.init()
    path = soft.home / "p11"
    server = subprocess.Popen(
        ["setpriv", "--pdeathsig", "KILL", "p11-kit", "server", "-f", "--provider", SOFTHSM, "-n", str(path),
         f"pkcs11:token={soft.token.label}"],
        env=soft.token.environment(), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    eventually(path.exists, 20, "p11-kit's server")
    soft.settings["P11_KIT_SERVER_ADDRESS"] = f"unix:path={path}"
    soft.settings["KMS_TOKEN_URI"] = soft.token.uri(module=f"{LIBRARIES}/pkcs11/p11-kit-client.so")
    yield soft
    server.kill()
    server.wait()


def test_an_attribute_that_cannot_be_read_costs_one_object_a_finding_and_nobody_the_token(remote):
    """The server's child answers no question for the length of CKA_ALLOWED_MECHANISMS, and dies of one for
    CKA_UNWRAP_TEMPLATE."""
    for _ in range(2):
        report = remote.run_json("token", "lint", codes=(2,))
        labels = {entry["label"].split("/")[2] for entry in report["objects"] if entry["isManaged"]}
        assert labels == {"root-lock", "share-lock-user", "share-lock-server", "audit", "result", "resident-wrap"}
        found = [(entry["label"].split("/")[2], finding) for entry in report["objects"] for finding in entry["findings"]]
        assert [(role, finding["attribute"]) for role, finding in found] == [("resident-wrap", "CKA_UNWRAP_TEMPLATE")]
        told = found[0][1]
        assert told["grade"] == "warning" and "CKR_DEVICE_ERROR, and the connection ended" in told["message"], told
        assert report["findings"] == [], report["findings"]


def test_a_module_that_does_not_do_what_the_keys_need_is_not_told_as_silent(remote):
    """p11-kit's server passes AES-GCM on to nobody: neither waiting nor another PIN helps."""
    daemon = remote.start(ready=False)
    problem = eventually(lambda: [p for p in ((daemon.readiness() or (0, {}))[1].get("problems") or [])
                                  if p["code"] == "mechanism-unsupported"], 30, "the refusal")[0][0]
    assert "does not do" in problem["message"] and "does not answer" not in problem["message"], problem
    daemon.terminate()
    failed = [check for check in remote.run_json("doctor", codes=(2,))["checks"] if check["name"] == "token"]
    assert "kmsd token probe" in failed[0]["remedy"] and "PIN" not in failed[0]["remedy"], failed


@pytest.mark.parametrize("label, flags, code, words", [
    ("NSS Generic Crypto Services", "", 78, "no user who could log in"), (LABEL, "readOnly", 1, "write-protected")],
    ids=["no-user", "read-only"])
def test_a_token_of_nss_that_keeps_nothing_is_named_as_that(nss, label, flags, code, words):
    nss.token.init_file.write_text(nss.token.text + flags)
    said = nss.run("init", *NSSToken.INIT, check=False, KMS_TOKEN_URI=nss.token.uri(label))
    assert said.returncode == code and words in said.stderr, said.stderr
    assert not (nss.home / "manifest.json").exists()


def test_a_probe_that_writes_goes_on_where_an_unwrap_template_does_not_arrive(remote):
    report = remote.run_json("token", "probe", "--write", codes=(2,))
    templates = {template["name"]: template for template in report["templates"]}
    # AES-GCM and ECDH do not pass the server, so what would seal there is a pair for RSA-OAEP.
    assert set(templates) == {"RSA-3072-OAEP-SHA-1", "AES-256-KWP", "EC-P256", "EC-secp256k1", "data"}
    assert templates["AES-256-KWP"]["outcome"] == "failed"
    assert templates["AES-256-KWP"]["detail"] == "CKR_DEVICE_ERROR from C_GenerateKey"
    assert "clean-up" not in {entry["name"] for entry in report["capabilities"]}


def test_no_verb_waits_for_ever_for_a_module_that_hangs(soft):
    """p11-kit's client before a server that takes connections and says nothing: its first call never returns."""
    soft.init()
    path = soft.home / "p11"
    verbs = {("doctor",): 2, ("token", "list"): 69, ("token", "lint"): 69, ("audit", "adopt"): 69,
             ("key", "list", "--keystore", "c9o5vqkv5ig3jl0q9m3g"): 69}
    with socket.socket(socket.AF_UNIX) as listener, ThreadPoolExecutor(len(verbs)) as pool:
        listener.bind(str(path))
        listener.listen(16)
        said = list(pool.map(lambda verb: soft.run(
            *verb, check=False, timeout=60, P11_KIT_SERVER_ADDRESS=f"unix:path={path}",
            KMS_TOKEN_URI=soft.token.uri(module=f"{LIBRARIES}/pkcs11/p11-kit-client.so")), verbs))
    for verb, answer in zip(verbs, said):
        text = answer.stdout + answer.stderr
        assert answer.returncode == verbs[verb] and ("does not answer" in text or "in time" in text), (verb, answer)


# A token that others use, too.

def test_init_leaves_nothing_that_ssh_takes_for_a_login_key(soft):
    soft.token.tool("--keypairgen", "--key-type", "EC:prime256v1", "--label", "mine", "--id", "4d")
    made = soft.run("init")
    assert "2 objects on the token are not this daemon's" in made.stdout and "a token of" in made.stdout
    listed = subprocess.run(["ssh-keygen", "-D", SOFTHSM], env=soft.token.environment(), capture_output=True, text=True,
                            timeout=120)
    assert listed.returncode == 0, listed.stderr
    lines = listed.stdout.splitlines()
    assert len(lines) == 1 and lines[0].startswith("ecdsa-sha2-nistp256 ") and lines[0].endswith(" mine"), lines


def test_sshs_agent_survives_the_daemons_token_and_signs_with_the_users_key(soft, tmp_path):
    soft.token.tool("--keypairgen", "--key-type", "EC:prime256v1", "--label", "mine", "--id", "4d")
    soft.init()
    socket = tmp_path / "a"
    agent = subprocess.Popen(
        ["setpriv", "--pdeathsig", "KILL", "ssh-agent", "-D", "-a", str(socket), "-P", os.path.realpath(SOFTHSM)],
        env=soft.token.environment(), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        eventually(socket.exists, 10, "ssh-agent")
        ask = tmp_path / "ask"
        ask.write_text(f"#!/bin/sh\nprintf '%s\\n' {soft.token.pin}\n")
        ask.chmod(0o700)
        environment = soft.token.environment(SSH_AUTH_SOCK=str(socket), SSH_ASKPASS=str(ask), SSH_ASKPASS_REQUIRE="force")

        def add(*arguments):
            return subprocess.run(["ssh-add", *arguments], env=environment, capture_output=True, text=True, timeout=120,
                                  stdin=subprocess.DEVNULL)

        added = add("-s", os.path.realpath(SOFTHSM))
        assert added.returncode == 0, added.stderr
        keys = add("-L").stdout.splitlines()
        assert len(keys) == 1 and keys[0].endswith(" mine"), keys
        public = tmp_path / "mine.pub"
        public.write_text(keys[0] + "\n")
        assert add("-T", str(public)).returncode == 0
        assert agent.poll() is None
    finally:
        agent.kill()
        agent.wait()


def test_lint_names_what_trips_others_over_a_shared_token(soft):
    """What Java and pkcs11-tool put on a token."""
    soft.init()
    for label, more in (("rsa", ("--key-type", "RSA:1024", "--id", "01")), ("noid", ("--key-type", "EC:prime256v1"))):
        soft.token.tool("--keypairgen", "--label", label, *more)
    for identifier in ("11", "12"):
        soft.token.tool("--keygen", "--key-type", "AES:32", "--label", "twin", "--id", identifier)
    report = soft.run_json("token", "lint", codes=(2,))
    found = {}
    for entry in report["objects"]:
        found.setdefault(entry["label"], set()).update(finding["attribute"] for finding in entry["findings"])
    assert "CKA_MODULUS" in found["rsa"] and "CKA_ID" in found["noid"] and "CKA_LABEL" in found["twin"], found


def test_two_tokens_of_one_serial_number_are_told_apart(nss):
    """NSS gives all its tokens the serial number of zeros."""
    uri = f"pkcs11:serial=0000000000000000?module-path={MODULE}&pin-source=file:{nss.token.pin_file}"
    said = nss.run("init", check=False, KMS_TOKEN_URI=uri)
    assert said.returncode == 78 and f"'{LABEL}'" in said.stderr and "Add 'token='" in said.stderr, said.stderr


def test_a_label_on_the_token_begins_no_line_of_ours(soft):
    """Whoever may write to a shared token chooses labels, and whoever made a token its own."""
    soft.init()
    soft.token.tool("--keygen", "--key-type", "AES:32", "--label", "x'\n  ok  secret-key 'kmsd/forged", "--id", "aa")
    for verb in (("token", "lint"), ("doctor",)):
        text = soft.run(*verb, check=False).stdout
        assert "\\u{a}" in text and not [line for line in text.splitlines() if line.startswith("  ok  secret-key 'kmsd/forged")], text
    label = "a\n* other  0000"
    subprocess.run(["softhsm2-util", "--init-token", "--free", "--label", label, "--so-pin", "12345678", "--pin", "12345678"],
                   env=soft.token.environment(), check=True, capture_output=True, timeout=60)
    listed = soft.run("token", "list").stdout
    assert not [line for line in listed.splitlines() if line.startswith("* other")] and "a\\u{a}* other" in listed, listed
    assert label in [entry["label"] for entry in soft.run_json("token", "list")]


# PIN files that other programs read, too.

def test_doctor_says_when_a_pin_file_ends_in_a_line_break(soft):
    soft.init()
    pins = [check for check in soft.run_json("doctor")["checks"] if check["name"] == "pin"]
    assert [check["grade"] for check in pins] == ["ok"]
    for ending in ("\n", "\r\n"):
        write_private(soft.token.pin_file, soft.token.pin + ending)
        pins = [check for check in soft.run_json("doctor", codes=(2,))["checks"] if check["name"] == "pin"]
        assert [check["grade"] for check in pins] == ["ok", "warn"], "and it is still read"
        assert "line break" in pins[1]["message"] and "printf" in pins[1]["remedy"]
        assert soft.token.pin not in json.dumps(pins)


def test_a_pin_file_of_more_than_one_line_costs_no_try_of_the_pin(soft):
    """What else stands in the file would go to the token as part of the PIN."""
    soft.init()
    daemon = soft.start()
    daemon.terminate()
    for content in (soft.token.pin + "\nanother", soft.token.pin + "\n\n", soft.token.pin + "\r", soft.token.pin + "\0"):
        write_private(soft.token.pin_file, content)
        for verb in (("token", "probe"), ("token", "lint"), ("key", "list", "--keystore", "c9o5vqkv5ig3jl0q9m3g")):
            said = soft.run(*verb, check=False)
            assert said.returncode == 77 and "on one line" in said.stderr and "C_Login" not in said.stderr, said.stderr
        assert "on one line" in soft.refuses_to_start(codes=(77,))
        pins = [check for check in soft.run_json("doctor", codes=(2,))["checks"] if check["name"] == "pin"]
        assert [check["grade"] for check in pins] == ["fail"] and "one line" in pins[0]["message"], pins
        assert soft.token.pin not in json.dumps(pins)
    # One line break at the end is dropped, as ever.
    write_private(soft.token.pin_file, soft.token.pin + "\r\n")
    soft.start()


def test_the_documented_pin_file_works_beside_us(soft):
    """As docs/pkcs11-vendors.md has it for GnuTLS: the path alone, without `file:`, and the module by an option."""
    soft.token.tool("--keypairgen", "--key-type", "EC:prime256v1", "--label", "mine", "--id", "4d")
    uri = f"pkcs11:token={soft.token.label};object=mine;type=private?pin-source={soft.token.pin_file}"
    signed = subprocess.run(["p11tool", f"--provider={SOFTHSM}", "--login", "--test-sign", uri], timeout=120,
                            env=soft.token.environment(), capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert signed.returncode == 0, signed.stdout + signed.stderr
