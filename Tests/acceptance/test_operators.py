"""Where operators get stuck: what is lost, what is away, and every verb that asks a running server."""
import base64
import contextlib
import json
import os
import re
import shutil
import socket
import ssl
import subprocess
import threading
import time
from datetime import datetime, timedelta, timezone
from ipaddress import ip_address

import pytest
import requests
from crypto import verify as verifies
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from daemon import BINARY, eventually, free_port
from softtpm import SoftTPM
from test_guards import Authority
from test_locks import auth, shamir, shares  # noqa: F401
from softtoken import write_private
from webkms_client import AGREEMENT

# What a library says of itself: where it was built, or how it dumps an error.
RAW = ("/Sources/", ".swift", ".cc:", "Error Domain", "NSCocoa", "NIOSSL", "BoringSSL", "swift-nio", "Code=", "Optional(")


def is_plain(text):
    return not any(word in text for word in RAW)


def ids(installation):
    return [entry["id"] for entry in installation.token.objects()]


# What is lost


@pytest.mark.parametrize("left", ["database", "chain"])
def test_a_lost_manifest_is_told_and_no_new_keys_are_made(own, left):
    daemon = own.start()
    key = daemon.client().create_keystore().create("ED25519")
    signature = key.sign(b"m")
    daemon.terminate()
    manifest, database, objects = own.home / "manifest.json", own.home / "kmsd.sqlite", ids(own)
    kept = manifest.read_bytes()
    manifest.unlink()
    for file in own.home.glob("*.sqlite*") if left == "chain" else own.home.glob("audit.db*"):
        file.rename(own.home / f"kept-{file.name}")
    before = database.read_bytes() if left == "database" else b""

    said = own.run("init", check=False)
    assert said.returncode == 78 and said.stderr.count("\n") == 1, said.stderr
    for words in ("manifest.json", "Restore", "kmsd.sqlite" if left == "database" else "audit.db"):
        assert words in said.stderr, said.stderr
    assert json.loads(own.run("init", "--output", "json", check=False).stdout)["error"]["code"] == "manifest-lost"
    checks = {check["name"]: check for check in own.run_json("doctor", codes=(2,))["checks"]}
    assert checks["manifest"]["grade"] == "fail" and "lost" in checks["manifest"]["message"]
    assert "restore manifest.json" in checks["manifest"]["remedy"] and "kmsd init` once" not in checks["manifest"]["remedy"]
    assert "Restore manifest.json" in own.refuses_to_start()
    for verb in (("audit", "adopt", "--yes"), ("audit", "rotate"), ("audit", "adopt-database", "--yes"),
                 ("audit", "verify", "--token"), ("audit", "key"), ("key", "list", "--keystore", "a")):
        told = own.run(*verb, check=False)
        if "no audit chain" in told.stderr:
            assert left == "database" and told.returncode == 1
        else:
            assert told.returncode in (69, 78) and "kmsd init` once" not in told.stderr, (verb, told.stderr)
    # Nothing was made and nothing begun.
    assert ids(own) == objects and not manifest.exists() and not (own.home / "init.journal").exists()
    assert not before or database.read_bytes() == before

    for file in own.home.glob("kept-*"):
        file.rename(own.home / file.name[5:])
    manifest.write_bytes(kept)
    manifest.chmod(0o600)
    key.client.base = own.start().base
    assert key.sign(b"m") == signature


def test_an_entry_of_the_manifest_that_is_damaged_is_not_told_as_a_silent_token(own):
    path = own.home / "manifest.json"
    whole = path.read_text()
    manifest = json.loads(whole)
    manifest["keys"]["root-lock"].pop("sentinel")
    path.write_text(json.dumps(manifest))
    daemon = own.start(ready=False)

    def told():
        answer = daemon.readiness()
        problems = (answer[1].get("problems") or []) if answer else []
        return [problem["message"] for problem in problems if problem["code"] == "configuration-refused"]

    words, _ = eventually(told, 60, "configuration-refused on /readyz")
    assert "manifest" in words[0] and "see the log" in words[0]
    assert daemon.terminate() == 0
    path.write_text(whole)
    own.start()


def test_whoever_wants_new_keys_beside_a_database_says_so(bare):
    """A daemon without a token made it; its records are locked by something else."""
    (bare.home / "kmsd.sqlite").touch(mode=0o600)
    assert bare.run("init", check=False).returncode == 78
    assert len(bare.run_json("init", "--beside-database")["keys"]) >= 6


@pytest.mark.parametrize("content", ["", "{", "[]", '{"format": 1}', "\0" * 100], ids=["empty", "cut", "list", "little", "nul"])
def test_a_damaged_manifest_is_told_in_words(own, content):
    (own.home / "manifest.json").write_text(content)
    for verb in (["init"], ["doctor"], ["key", "list", "--keystore", "x"], ["start"]):
        said = own.run(*verb, check=False)
        text = said.stdout + said.stderr
        assert said.returncode in (2, 78) and is_plain(text) and "backup" in text and "manifest.json" in text, text


# What is away


def test_listing_keystores_needs_no_token(own):
    daemon = own.start()
    keystore = daemon.client().create_keystore("did:example:listed")
    own.token.hide()
    for more in ({}, {"KMS_TOKEN_URI": None}):
        start = time.monotonic()
        assert keystore.id in own.run("keystore", "list", **more).stdout
        assert [entry["id"] for entry in own.run_json("keystore", "list", **more)] == [keystore.id]
        assert time.monotonic() - start < 20  # Two verbs; one that waited for the token would take ten seconds.
    daemon.terminate()
    (own.home / "manifest.json").unlink()
    assert keystore.id in own.run("keystore", "list", KMS_TOKEN_URI=None).stdout


def test_looking_makes_no_database(own):
    assert own.run_json("keystore", "list") == [] and own.run("keystore", "list").stdout == ""
    assert not (own.home / "kmsd.sqlite").exists()


@pytest.mark.parametrize("fault, name, words", [
    (lambda home: (home / "audit.db").unlink(), "audit", "is missing"),
    (lambda home: (home / "audit.db").write_bytes(b""), "audit", "has no record"),
    (lambda home: (home / "kmsd.sqlite").unlink(), "database", "is missing"),
    (lambda home: (home / "kmsd.sqlite").write_bytes(b""), "database", "empty"),
    (lambda home: (home / "kmsd.sqlite").write_bytes(b"none " * 999), "database", "damaged"),
    (lambda home: (home / "kmsd.sqlite").chmod(0o644), "database", "chmod 600"),
    (lambda home: (home / "audit.db").chmod(0o640), "audit", "chmod 600"),
    (lambda home: (home / "kmsd.sqlite").rename(home / "x") and (home / "kmsd.sqlite").symlink_to(home / "x"), "database", "link"),
    (lambda home: write_private(home / "decryption.sqlite", "none " * 999), "decryption keys", "damaged"),
], ids=["chain gone", "chain emptied", "database gone", "database emptied", "database damaged", "database open", "chain open",
        "database a link", "decryption damaged"])
def test_doctor_finds_what_keeps_a_start_from_serving(own, fault, name, words):
    own.start().terminate()
    assert own.run("doctor").returncode == 0
    fault(own.home)
    found = [check for check in own.run_json("doctor", codes=(2,))["checks"] if check["grade"] == "fail"]
    assert any(check["name"] == name and words in check["message"] and check["remedy"] for check in found), found


def test_doctor_speaks_while_it_looks_and_does_not_wait_long(own):
    own.start().terminate()
    own.token.hide()
    start = time.monotonic()
    process = subprocess.Popen([str(BINARY), "doctor"], env=own.environment(), stdin=subprocess.DEVNULL, text=True,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    lines, times = [], []
    for line in process.stdout:
        lines.append(line)
        times.append(time.monotonic() - start)
    assert process.wait(60) == 2
    assert times[-1] - times[0] > 0.5 or times[-1] < 2, list(zip(times, lines))
    # It looks for four seconds; a daemon waits for ten, and once more for the next thing it wants of the token.
    assert times[-1] - times[0] < 15, list(zip(times, lines))
    text = "".join(lines)
    assert "looking" in text and any(line.startswith("fail  token") for line in lines), text
    # Standard output alone has the findings, and JSON nothing else.
    assert "looking" not in own.run("doctor", check=False).stdout
    assert json.loads(own.run("doctor", "--output", "json", check=False).stdout)["checks"]


# A home's env.sh in another home's terminal


@pytest.mark.pkcs11
def test_scripts_run_makes_no_keys_on_another_homes_token(tmp_path):
    from test_transcripts import ROOT, environment

    def run(home, script):
        log = tmp_path / f"{home.name}.log"
        with open(log, "wb") as out:
            process = subprocess.Popen(["bash", "-c", script], env=environment(tmp_path), stdin=subprocess.DEVNULL,
                                       stdout=out, stderr=subprocess.STDOUT)

        def is_ready():
            assert process.poll() is None, log.read_text()
            return "kmsd ready" in log.read_text().splitlines()

        try:
            eventually(is_ready, 60, "'kmsd ready'")
        finally:
            process.terminate()
            process.wait(60)
        return log.read_text()

    def objects(home):
        return sorted(path.name for path in (home / "tokens").rglob("*.object"))

    first, second = tmp_path / "first", tmp_path / "second"
    start = f"exec '{ROOT}/scripts/run'"
    run(first, f"export KMSD_HOME='{first}'; {start}")
    before, manifest = objects(first), (first / "manifest.json").read_bytes()
    said = run(second, f". '{first}/env.sh'; export KMSD_HOME='{second}' KMS_HOST=127.0.0.1:{free_port()}; {start}")
    assert "Not using KMS_TOKEN_URI" in said and str(first) in said
    assert objects(first) == before and objects(second)
    assert (second / "jwt.secret").exists() and str(first) not in (second / "env.sh").read_text()
    # The same with an env.sh that somebody wrote otherwise, or took away after it was sourced.
    text = (first / "env.sh").read_text()
    (first / "env.sh").write_text(re.sub(r"^export (KMS_TOKEN_URI|SOFTHSM2_CONF)=(.*)$", lambda line: "export {}='{}'  # ours".format(
        line[1], line[2].replace("\\", "")), text, flags=re.MULTILINE))
    for number, change in enumerate((":", f"mv '{first}/env.sh' '{first}/env.away'")):
        other = tmp_path / f"other{number}"
        said = run(other, f". '{first}/env.sh'; {change}; export KMSD_HOME='{other}' KMS_HOST=127.0.0.1:{free_port()}; {start}")
        assert "Not using KMS_TOKEN_URI" in said and objects(other), said
        assert objects(first) == before and str(first) not in (other / "env.sh").read_text()
    (first / "env.sh").write_text(text)
    # In its own home's terminal it goes on as before; a token that was set by hand is the one that is used.
    assert "Not using" not in run(first, f". '{first}/env.sh'; export KMS_HOST=127.0.0.1:{free_port()}; {start}")
    assert len(objects(first)) == len(before) and (first / "manifest.json").read_bytes() == manifest
    refused = subprocess.run(
        ["bash", "-c", f"export KMSD_HOME='{tmp_path}/third' KMS_TOKEN_URI='pkcs11:token=none?module-path=/nonexistent'; {start}"],
        env=environment(tmp_path), text=True, capture_output=True, timeout=60, stdin=subprocess.DEVNULL)
    assert refused.returncode != 0 and "pin-source" in refused.stderr


# Servers that do not answer as they should


@pytest.fixture(scope="module")
def odd_server():
    """Says the same to everybody: no HTTP, no TLS."""
    listener = socket.create_server(("127.0.0.1", 0))
    ended = threading.Event()

    def serve():
        while not ended.is_set():
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                connection.settimeout(20)
                connection.recv(4096)
                connection.sendall(b"SSH-2.0-nothing\r\n")
                # Closed with something unread, it would take the answer back.
                connection.shutdown(socket.SHUT_WR)
                with contextlib.suppress(OSError):
                    while connection.recv(4096):
                        pass

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield listener.getsockname()[1]
    ended.set()
    listener.close()


def misplaced(certificate, key):
    """The URL of a server with a certificate for another address."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    listener = socket.create_server(("127.0.0.2", 0))

    def serve():
        with listener:
            connection, _ = listener.accept()
            try:
                with context.wrap_socket(connection, server_side=True) as secured:
                    secured.recv(1)
            except OSError:
                pass

    threading.Thread(target=serve, daemon=True).start()
    return f"https://127.0.0.2:{listener.getsockname()[1]}"


def test_errors_of_the_way_to_a_server_are_sentences(own, tmp_path, odd_server):
    authority, stranger = Authority(tmp_path / "ca"), Authority(tmp_path / "stranger")
    from cryptography.x509.oid import ExtendedKeyUsageOID
    server = authority.issue("server", ExtendedKeyUsageOID.SERVER_AUTH)
    secure = own.start(KMS_TLS_SERVE_CERT=server[0], KMS_TLS_SERVE_KEY=server[1])
    (tmp_path / "no.pem").write_text("nothing")
    trust = {"KMS_CLI_TLS_CACERTS": authority.certificate}
    elsewhere = misplaced(*server)
    cases = [
        (secure.base, {}, 69, ("certificate", "--tls-cacerts")),
        (secure.base, {"KMS_CLI_TLS_CACERTS": stranger.certificate}, 69, ("certificate", "--tls-cacerts")),
        (elsewhere, trust, 69, ("certificate", "name")),
        (secure.base.replace("https", "http"), trust, 69, ("http",)),
        (f"http://127.0.0.1:{free_port()}", {}, 69, ("Connection refused",)),
        (f"https://127.0.0.1:{free_port()}", {}, 69, ("Connection refused",)),
        (f"http://127.0.0.1:{odd_server}", {}, 69, ("no HTTP",)),
        (f"https://127.0.0.1:{odd_server}", {}, 69, ("TLS",)),
        ("http://no-such-host.invalid", {}, 69, ("no-such-host.invalid",)),
        (secure.base, {"KMS_CLI_TLS_CACERTS": "/nonexistent/ca.pem"}, 78, ("/nonexistent/ca.pem", "No such file")),
        (secure.base, {"KMS_CLI_TLS_CACERTS": str(tmp_path / "no.pem")}, 78, ("no.pem", "PEM")),
        ("ftp://127.0.0.1", {}, 64, ("--url",)),
    ]
    verbs = [["keystore", "create", "--controller", "did:example:a"], ["key", "show", "--keystore", "k", "a"],
             ["keystore", "retire", "--keystore", "k"]]
    for number, (url, more, code, words) in enumerate(cases):
        said = own.run(*verbs[number % len(verbs)], "--url", url, check=False, **more)
        assert said.returncode == code, (url, said.returncode, said.stderr)
        assert is_plain(said.stderr) and said.stderr.count("\n") == 1, said.stderr
        assert all(word in said.stderr for word in words), (url, said.stderr)


def tls_server(certificate, key, clients=None):
    """Shows a certificate to one caller, over HTTP/2 as far as it comes."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    context.set_alpn_protocols(["h2", "http/1.1"])
    if clients:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(clients)
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(60)

    def serve():
        with listener, contextlib.suppress(OSError):
            connection, _ = listener.accept()
            connection.settimeout(20)
            with context.wrap_socket(connection, server_side=True) as secured:
                secured.recv(4096)

    threading.Thread(target=serve, daemon=True).start()
    return f"127.0.0.1:{listener.getsockname()[1]}"


def out_of_time(authority, start, days):
    """A certificate of the authority for 127.0.0.1, valid from `start` days from now on."""
    key = ec.generate_private_key(ec.SECP256R1())
    begin = datetime.now(timezone.utc) + timedelta(days=start)
    built = (x509.CertificateBuilder().subject_name(authority.name).issuer_name(authority.name).public_key(key.public_key())
             .serial_number(x509.random_serial_number()).not_valid_before(begin).not_valid_after(begin + timedelta(days=days))
             .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
             .sign(authority.private, hashes.SHA256()))
    return authority._write(f"from{start}", key, built)


def test_the_decryption_client_says_whose_certificate_is_refused_and_why(own, tmp_path):
    """Expired, not valid yet, for another purpose, of a stranger; and files of its own that cannot be used."""
    from cryptography.x509.oid import ExtendedKeyUsageOID
    authority, stranger = Authority(tmp_path / "ca"), Authority(tmp_path / "stranger")
    server, client = authority.issue("server", ExtendedKeyUsageOID.SERVER_AUTH), authority.issue("client")
    refused = [out_of_time(authority, -10, 5), out_of_time(authority, 5, 5), client,
               stranger.issue("server", ExtendedKeyUsageOID.SERVER_AUTH)]
    status = ["decryption", "status", "--timeout", "5s", "--tls", "--tls-cacerts", authority.certificate]
    for pair in refused:
        said = own.run(*status, "--server", tls_server(*pair), check=False)
        assert said.returncode == 69 and is_plain(said.stderr) and said.stderr.count("\n") == 1, said.stderr
        assert "the server's certificate is not accepted" in said.stderr and "answered" not in said.stderr, said.stderr
        assert "expired" in said.stderr and "not valid yet" in said.stderr and "one for servers" in said.stderr
        assert "certificate is not accepted" in own.run(
            "keystore", "retire", "--keystore", "k", "--url", "https://" + tls_server(*pair), "--tls-cacerts",
            authority.certificate, check=False).stderr
    # The files of the caller are looked at before anybody is asked.
    (tmp_path / "no.pem").write_text("nothing")
    nowhere = f"127.0.0.1:{free_port()}"
    for arguments, code, words in [
        (["--tls-cert", client[0], "--tls-key", server[1]], 78, "the key that was made with it"),
        (["--tls-cert", str(tmp_path / "no.pem"), "--tls-key", client[1]], 78, "no.pem"),
        (["--tls-cert", client[0], "--tls-key", "/nonexistent/key"], 77, "/nonexistent/key"),
        (["--tls-cacerts", "/nonexistent/ca.pem"], 78, "/nonexistent/ca.pem"),
    ]:
        said = own.run(*status, "--server", nowhere, *arguments, check=False)
        assert said.returncode == code and words in said.stderr and is_plain(said.stderr), (arguments, said)
    os.chmod(client[1], 0o644)
    said = own.run(*status, "--server", nowhere, "--tls-cert", client[0], "--tls-key", client[1], check=False)
    assert said.returncode == 77 and client[1] in said.stderr, "a key that everybody can read"


def test_what_cannot_be_read_is_told_in_words(own, tmp_path):
    cases = [["attest", "verify", "/nonexistent/a.json"], ["attest", "verify", str(tmp_path)],
             ["audit", "verify", "--head", "/nonexistent/head"],
             ["key", "sign", "--url", "http://127.0.0.1:1", "--keystore", "k", "--file", "/nonexistent/m", "a"],
             ["import", "/nonexistent/dump"], ["start", "--config", "/nonexistent/kmsd.yaml"]]
    for case in cases:
        said = own.run(*case, check=False)
        assert said.returncode != 0 and is_plain(said.stderr), (case, said.stderr)


def test_a_body_that_is_too_large_names_the_setting(own):
    daemon = own.start(KMS_MAX_BODY="2KiB")
    answer = requests.post(f"{daemon.base}/v1/keystores", data=b"x" * 4096, timeout=10)
    assert answer.status_code == 413 and "max-body" in answer.json()["message"] and "2048" in answer.json()["message"]


# Verbs that ask a running server


@pytest.fixture(scope="module")
def console(shared):
    def run(*arguments, **more):
        return shared.run(*arguments, KMS_CLI_URL=shared.daemons[0].base, **more)

    run.json = lambda *arguments, codes=(0,), **more: shared.run_json(
        *arguments, codes=codes, KMS_CLI_URL=shared.daemons[0].base, **more)
    return run


def made(console, *arguments, type="ECDSAP256DER"):
    keystore = console("keystore", "create", "--controller", "did:example:console", *arguments).stdout.split()[0]
    return keystore, console("key", "create", "--keystore", keystore, "--type", type).stdout.split()[0]


@pytest.mark.parametrize("protection", ["sealed", "resident"])
def test_a_keys_life_on_the_command_line(console, tmp_path, protection):
    keystore, key = made(console, "--protection", protection)
    assert console.json("keystore", "show", "--keystore", keystore)["protection"] == protection
    shown = console.json("key", "show", key)
    assert shown["state"] == "enabled" and shown["protection"] == protection
    (tmp_path / "message").write_bytes(bytes(range(256)) * 40)
    signature = console("key", "sign", "--file", tmp_path / "message", key).stdout.strip()
    assert console("key", "verify", "--file", tmp_path / "message", "--signature", signature, key).stdout == "valid\n"
    pem = console("key", "export", key).stdout
    assert serialization.load_pem_public_key(pem.encode())
    public = base64.b64decode(console("key", "export", "--format", "raw", key).stdout)
    verifies("ECDSAP256DER", public, base64.b64decode(signature), (tmp_path / "message").read_bytes())

    wrong = console("key", "verify", "--message", "other", "--signature", signature, key, check=False)
    assert wrong.returncode == 2 and "not valid" in wrong.stdout
    assert console.json("key", "verify", "--message", "m", "--signature", signature, key, codes=(2,)) == {"valid": False}
    assert console("key", "verify", "--message", "m", "--signature", "!", key, check=False).returncode == 64

    assert console.json("key", "disable", key)["state"] == "disabled"
    refused = console("key", "sign", "--message", "m", key, check=False)
    assert refused.returncode == 1 and "409" in refused.stderr and "disabled" in refused.stderr
    assert "enabled" in console("key", "enable", key).stdout
    pending = console.json("key", "destroy", "--grace", "72h", key)
    assert pending["state"] == "pending-destruction" and pending["destroy_at"]
    assert console("key", "sign", "--message", "m", key, check=False).returncode == 1
    assert console.json("key", "restore", key)["state"] == "disabled"
    console("key", "enable", key)
    assert console.json("key", "sign", "--message", "m", key)["signature"]
    assert console.json("key", "destroy", "--grace", "0s", key)["state"] == "destroyed"
    gone = console("key", "restore", key, check=False)
    assert gone.returncode == 1 and "destroyed" in gone.stderr


def test_keystore_and_key_are_named_in_one_way(console, shared):
    """The id, or the URL that was printed; the spellings from before still work."""
    keystore, key = made(console)
    identifier, name = keystore.split("/")[-1], key.split("/")[-1]
    # On a bare TPM one process at a time; the rows are checked with the token.
    lists = shared.token.IS_SHARED
    for given in (["--keystore", identifier], ["--keystore", keystore]):
        assert console.json("key", "show", *given, name)["id"] == name
        assert console.json("keystore", "show", *given)["id"] == identifier
        if lists:
            assert name in console("key", "list", *given).stdout
    assert console.json("key", "show", name, KMS_CLI_KEYSTORE_ID=identifier)["id"] == name
    if lists:
        assert name in console("key", "list", identifier).stdout and name in console("key", "list", keystore).stdout
        assert console("key", "list", "--keystore", identifier, identifier, check=False).returncode == 64
    for arguments in (["key", "show", name], ["key", "show", "--keystore", "a/b", name], ["key", "show", "../x"],
                      ["key", "show", "--keystore", "other", key], ["keystore", "show"], ["key", "list"],
                      ["key", "show", keystore + "/x"], ["key", "sign", key],
                      ["key", "sign", "--message", "a", "--file", "-", key],
                      ["key", "destroy", "--grace", "soon", key],
                      ["keystore", "create", "--controller", "did:a", "--protection", "quantum"]):
        said = console(*arguments, check=False)
        assert said.returncode == 64, (arguments, said.stdout, said.stderr)


@pytest.mark.parametrize("key_type", ["ED25519", "ECDSAP256DER", "ECDSAP256IEEEP1363", "ECDSAP384DER", "ECDSAP521IEEEP1363",
                                      "ECDSASecp256k1IEEEP1363", *AGREEMENT])
def test_public_keys_as_pem_and_jwk(console, key_type):
    _, key = made(console, type=key_type)
    public = serialization.load_pem_public_key(console("key", "export", key).stdout.encode())
    jwk = json.loads(console("key", "export", "--format", "jwk", key).stdout)
    assert jwk["kid"] == key.split("/")[-1]

    def number(name):
        return base64.urlsafe_b64decode(jwk[name] + "=" * (-len(jwk[name]) % 4))

    if jwk["kty"] == "OKP":
        assert jwk["crv"] == {"ED25519": "Ed25519", "X25519ECDHKW": "X25519"}[key_type]
        assert number("x") == public.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    else:
        curve = {"secp256r1": "P-256", "secp384r1": "P-384", "secp521r1": "P-521", "secp256k1": "secp256k1"}
        assert jwk["kty"] == "EC" and jwk["crv"] == curve[public.curve.name]
        width = (public.curve.key_size + 7) // 8
        assert number("x") == public.public_numbers().x.to_bytes(width, "big")
        assert number("y") == public.public_numbers().y.to_bytes(width, "big")
    assert console.json("key", "export", "--format", "jwk", key) == {"type": key_type, "jwk": jwk}


@pytest.mark.parametrize("key_type,words", [("AES256GCM", "no public"), ("BLS12381G2", "--format raw")])
def test_keys_without_such_a_form_say_so(console, key_type, words):
    _, key = made(console, type=key_type)
    said = console("key", "export", key, check=False)
    assert said.returncode == 1 and (words in said.stderr or "400" in said.stderr), said.stderr


def test_a_keystore_is_retired(console, shared):
    keystore, _ = made(console)
    for _ in range(3):
        console("key", "create", "--keystore", keystore, "--type", "ED25519")
    identifier = keystore.split("/")[-1]
    assert console.json("keystore", "retire", "--keystore", keystore, "--grace", "1h") == {
        "keystore": identifier, "destroyed": 0, "pending": 4}
    assert console.json("keystore", "retire", "--keystore", keystore, "--grace", "0s") == {
        "keystore": identifier, "destroyed": 4, "pending": 0}
    assert "4 keys are destroyed, 0 wait" in console("keystore", "retire", "--keystore", identifier).stdout
    # What is left says so, and makes keys no less than before: whoever may use it is somebody else's decision.
    assert console.json("keystore", "show", "--keystore", keystore)["id"] == identifier
    assert console("keystore", "retire", "--keystore", "absent", check=False).returncode == 1


def test_other_locks_are_named(console, shared):
    said = console("keystore", "create", "--controller", "did:example:a", "--lock", "unheard-of", check=False)
    assert said.returncode == 1 and "'lock'" in said.stderr and "'token'" in said.stderr


def test_keystores_locked_by_shares_are_used_with_them(shamir, shares, tmp_path):
    base = shamir.start().base
    share = tmp_path / "alice.share"
    share.write_text(base64.b64encode(shares[0]).decode() + "\n")
    share.chmod(0o600)
    alice = {"KMS_CLI_URL": base, "KMS_CLI_SHARE_USER": "alice", "KMS_CLI_SHARE_FILE": str(share)}
    keystore = shamir.run("keystore", "create", "--controller", "did:example:a", "--lock", "shamir", **alice).stdout.strip()
    key = shamir.run("key", "create", "--keystore", keystore, "--type", "ED25519", **alice).stdout.split()[0]
    assert shamir.run_json("key", "sign", "--message", "m", key, **alice)["signature"]
    slots = shamir.run_json("keystore", "show", "--keystore", keystore, **alice)["lock_slots"]
    assert [slot["kind"] for slot in slots] == ["shamir"]
    assert shamir.run("key", "sign", "--message", "m", key, "--share-file", share, KMS_CLI_URL=base,
                      check=False).returncode == 64
    share.chmod(0o644)
    said = shamir.run("key", "sign", "--message", "m", key, **alice, check=False)
    assert said.returncode == 77 and "alice.share" in said.stderr


def test_whoever_may_not_is_told_how(own, tmp_path):
    secret = tmp_path / "jwt.secret"
    secret.write_text("a secret of HS256 tokens of this test")
    secret.chmod(0o600)
    daemon = own.start(KMS_ADMIN_GUARD="jwt", KMS_JWT_SECRET_FILE=str(secret))
    said = own.run("keystore", "create", "--controller", "did:example:a", "--url", daemon.base, check=False)
    assert said.returncode == 77 and "KMS_CLI_AUTH_TOKEN" in said.stderr
    token = own.run("dev", "jwt", "--user", "op", "--service", "--jwt-secret-file", str(secret)).stdout.strip()
    made = own.run("keystore", "create", "--controller", "did:example:a", KMS_CLI_AUTH_TOKEN=token, KMS_CLI_URL=daemon.base)
    assert "/v1/keystores/" in made.stdout


def test_registers_of_a_tpm_that_prove_nothing(tmp_path):
    """Those that anybody may reset are refused by `init`; those that nobody extended are told there and by `doctor`."""
    from daemon import Installation
    for registers, code in (("sha256:7,16", 78), ("sha256:23", 78), ("sha256:7,12", 0)):
        installation = Installation(
            tmp_path / registers.replace(":", "-"), token=lambda home: SoftTPM(home, attributes=f"&pcrs={registers}"))
        try:
            installation.token.tool("tpm2_pcrextend", f"7:sha256={'11' * 32}")
            said = installation.run("init", check=False)
            assert said.returncode == code, said.stderr
            if code:
                assert "reset" in said.stderr and registers.split(",")[-1][-2:] in said.stderr
                assert ids(installation) == [] and not (installation.home / "manifest.json").exists()
                continue
            assert "warning: PCR 12 was never extended" in said.stderr and "PCR 7" not in said.stderr
            warned = [check for check in installation.run_json("doctor", codes=(2,))["checks"] if check["grade"] == "warn"]
            assert [check["name"] for check in warned] == ["pcr"] and "PCR 12" in warned[0]["message"]
            assert "PCR 12" in installation.run_json("tpm", "status")["warnings"][0]
        finally:
            installation.end()
            shutil.rmtree(installation.home)


def test_a_cleared_tpm_is_not_told_as_another_state(tmp_path):
    from daemon import Installation
    installation = Installation(tmp_path / "home", token=lambda home: SoftTPM(home, attributes="&pcrs=sha256:7"))
    try:
        daemon = installation.init().start(KMS_LOCK_TTL="0s")
        key = daemon.client().create_keystore().create("ED25519")
        installation.token.tool("tpm2_clear", "-c", "p")
        with pytest.raises(Exception):
            key.sign(b"m")

        def told():
            answer = daemon.readiness()
            problems = [p for p in (answer[1].get("problems") or []) if p["component"] == "token"] if answer else []
            assert all(p["code"] != "pcr-mismatch" for p in problems), problems
            return [p for p in problems if p["code"] == "token-mismatch"]

        eventually(told, 20, "token-mismatch on /readyz")
        start = time.monotonic()
        assert daemon.terminate() == 0
        said = installation.run("tpm", "status", check=False)
        assert said.returncode == 78 and "not the provisioned one" in said.stderr and time.monotonic() - start < 30
    finally:
        installation.end()


