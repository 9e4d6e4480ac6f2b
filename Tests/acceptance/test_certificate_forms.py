"""Every form in which certificates and keys come, in every setting that names one: what is wrong is said with the file, what
it is instead, and what to do about it; no library's words."""
import base64
import os
import signal
import subprocess
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat, PublicFormat
from cryptography.hazmat.primitives.serialization import pkcs7, pkcs12
from daemon import free_port
from test_certificates import KEYS, NAME, PKCS8, PLAIN, SEC1, Pair, certificate, private
from test_gnap import BASE
from test_signals import said, shown

LIBRARYS = ("NIOSSL", "BoringSSL", "failedToLoad", "Error Domain", ".swift", "error:")


def openssl(*arguments, given=b""):
    return subprocess.run(["openssl", *arguments], input=given, capture_output=True, check=True).stdout


def request(key):
    return x509.CertificateSigningRequestBuilder().subject_name(NAME).sign(key, hashes.SHA256()).public_bytes(Encoding.PEM)


def indented(pem):
    return b"".join(b"    " + line + b"\n" for line in pem.splitlines())


KEY = ec.generate_private_key(ec.SECP256R1())
CERT, PEM = certificate(KEY), private(KEY)
LOADED = x509.load_pem_x509_certificate(CERT)
BODY = CERT.splitlines()

# What a file of certificates may be instead, and words that the message must have.
NO_CERTIFICATES = {
    "empty": (b"", "is empty"), "blank": (b"\n \n", "is empty"), "text": (b"hello\n", "holds no PEM certificate"),
    "der": (LOADED.public_bytes(Encoding.DER), "openssl x509 -inform DER"),
    "pkcs12": (pkcs12.serialize_key_and_certificates(b"n", KEY, LOADED, None, PLAIN), "openssl pkcs12 -nokeys"),
    "pkcs7": (pkcs7.serialize_certificates([LOADED], Encoding.PEM), "openssl pkcs7 -print_certs"),
    "pkcs7 der": (pkcs7.serialize_certificates([LOADED], Encoding.DER), "openssl pkcs7 -inform DER"),
    "request": (request(KEY), "certificate request"), "key": (PEM, "are the two settings exchanged?"),
    "public key": (KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo), "a public key"),
    "bom": (b"\xef\xbb\xbf" + CERT, "byte order mark"), "utf-16": (CERT.decode().encode("utf-16"), "iconv -f UTF-16"),
    "utf-16 without mark": (CERT.decode().encode("utf-16-le"), "iconv -f UTF-16"),
    "indented": (indented(CERT), "at the left margin"), "one line": (CERT.replace(b"\n", b"\\n"), "line breaks"),
    "quoted": (b'cert: "' + CERT, "in the midst of a line"), "bare": (b"\n".join(BODY[1:-1]), "is Base64 without the lines"),
    "cut": (CERT[:200], "is cut off"), "cut behind a good one": (CERT + CERT[:200], "is cut off"),
    "damaged": (BODY[0] + b"\n" + b"A" * 64 + b"\n" + BODY[-1] + b"\n", "a damaged certificate in line 1"),
    "no base64": (CERT.replace(b"MII", b"M*I"), "a damaged certificate"),
    "damaged behind a good one": (
        CERT + BODY[0] + b"\nAAAA\n" + BODY[-1] + b"\n", f"damaged certificate in line {len(BODY) + 1}"),
    "trusted": (openssl("x509", "-trustout", given=CERT), "TRUSTED CERTIFICATE"),
}
RSA = rsa.generate_private_key(65537, 2048)
SSH = KEY.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, PLAIN)
NO_KEYS = {
    "text": (b"hello\n", "holds no PEM private key"), "blank": (b"\n \n\n", "is empty"),
    "der": (KEY.private_bytes(Encoding.DER, PKCS8, PLAIN), "openssl pkey -inform DER"),
    "pkcs12": (pkcs12.serialize_key_and_certificates(b"n", KEY, LOADED, None, PLAIN), "openssl pkcs12"),
    "certificate": (CERT, "are the two settings exchanged?"), "request": (request(KEY), "certificate request"),
    "public key": (KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo), "a public key"),
    "openssh": (SSH, "ssh-keygen"),
    "encrypted": (private(KEY, PKCS8, BestAvailableEncryption(b"a passphrase")), "is encrypted"),
    "encrypted before PKCS#8": (private(KEY, SEC1, BestAvailableEncryption(b"a passphrase")), "is encrypted"),
    "bom": (b"\xef\xbb\xbf" + PEM, "byte order mark"), "utf-16": (PEM.decode().encode("utf-16"), "iconv -f UTF-16"),
    "indented": (indented(PEM), "at the left margin"), "one line": (PEM.replace(b"\n", b"\\n"), "line breaks"),
    "bare": (b"\n".join(PEM.splitlines()[1:-1]), "is Base64 without the lines"), "cut": (PEM[:100], "is cut off"),
}
UNUSABLE = {
    "RSA-PSS": "RSA-PSS (1.2.840.113549.1.1.10)", "secp256k1": "secp256k1 (1.3.132.0.10)", "P-224": "P-224 (1.3.132.0.33)",
    "brainpool": "brainpoolP256r1", "Ed448": "Ed448 (1.3.101.113)", "DSA": "DSA (1.2.840.10040.4.1)",
}


def unusable(kind, folder):
    """Key and certificate as OpenSSL makes them."""
    key = folder / "odd.key"
    options = {"RSA-PSS": ["-algorithm", "RSA-PSS", "-pkeyopt", "rsa_keygen_bits:2048"], "Ed448": ["-algorithm", "ED448"],
               "secp256k1": ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:secp256k1"],
               "P-224": ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:secp224r1"],
               "brainpool": ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:brainpoolP256r1"]}
    if kind == "DSA":
        parameters = folder / "dsa.pem"
        openssl("genpkey", "-genparam", "-algorithm", "DSA", "-pkeyopt", "dsa_paramgen_bits:2048", "-out", str(parameters))
        openssl("genpkey", "-paramfile", str(parameters), "-out", str(key))
    else:
        openssl("genpkey", *options[kind], "-out", str(key))
    cert = openssl("req", "-x509", "-key", str(key), "-subj", "/CN=localhost", "-days", "2")
    return cert, key.read_bytes()


def findings(own, name, settings):
    return [check for check in own.run_json("doctor", codes=(0, 2), **settings)["checks"] if check["name"] == name]


def refused(own, settings, setting, path, words, code=78):
    """By the start; the words of the message are ours."""
    text = own.refuses_to_start(codes=(code,), **settings)
    told = text.splitlines()[-1]
    assert setting in told and str(path) in told and words in told, told
    assert not any(word in told for word in LIBRARYS), told
    return told


@pytest.fixture
def pair(tmp_path):
    return Pair(tmp_path)


@pytest.fixture
def others(tmp_path):
    """The settings that name certificates of others, with a file each."""
    file = tmp_path / "others.pem"

    def settings(setting):
        if setting == "tls-cacerts":
            return {"KMS_TLS_CACERTS": str(file)}
        pair = Pair(tmp_path)
        return {**pair.write(CERT, PEM), "KMS_ADMIN_GUARD": "mtls", "KMS_TLS_CLIENT_CACERTS": str(file)}
    return file, settings


@pytest.mark.parametrize("form", NO_CERTIFICATES)
def test_a_file_that_holds_no_certificate_is_called_what_it_is(own, pair, others, form):
    content, words = NO_CERTIFICATES[form]
    told = refused(own, pair.write(content, PEM), "tls-serve-cert", pair.cert, words)
    checks = findings(own, "tls", pair.settings)
    assert [check["grade"] for check in checks] == ["fail"] and checks[0]["message"] in told
    file, settings = others
    for setting in ("tls-cacerts", "tls-client-cacerts"):
        given = settings(setting)
        file.write_bytes(content)
        refused(own, given, setting, file, words)
    result = own.run("keystore", "list", check=False, KMS_CLI_TLS_CACERTS=str(file))
    remote = own.run("keystore", "create", "--controller", "a", check=False, KMS_CLI_TLS_CACERTS=str(file),
                     KMS_CLI_URL=f"https://127.0.0.1:{free_port()}")
    assert remote.returncode == 78 and words in remote.stderr and str(file) in remote.stderr, remote.stderr
    assert result.returncode == 0


@pytest.mark.parametrize("form", NO_KEYS)
def test_a_file_that_holds_no_private_key_is_called_what_it_is(own, pair, tmp_path, form):
    content, words = NO_KEYS[form]
    told = refused(own, pair.write(CERT, content), "tls-serve-key", pair.key, words)
    assert PEM.decode().splitlines()[1] not in told
    checks = findings(own, "tls", pair.settings)
    assert [check["grade"] for check in checks] == ["fail"] and checks[0]["message"] in told
    key = tmp_path / "gnap.pem"
    key.touch(mode=0o600)
    key.write_bytes(content)
    refused(own, {"KMS_AUTH_TYPE": "GNAP", "KMS_BASE_URL": BASE, "KMS_AUTH_SERVER_URL": "https://auth.example",
                  "KMS_GNAP_SIGNING_KEY": str(key)}, "gnap-signing-key", key, words)


@pytest.mark.parametrize("kind", UNUSABLE)
def test_a_key_of_a_kind_that_tls_cannot_use_is_named(own, pair, others, kind, tmp_path):
    cert, key = unusable(kind, tmp_path)
    told = refused(own, pair.write(cert, key), "tls-serve-cert", pair.cert, UNUSABLE[kind])
    assert "Ed25519" in told
    assert UNUSABLE[kind] in findings(own, "tls", pair.settings)[0]["message"]
    # The key alone, beside a good certificate.
    refused(own, pair.write(CERT, key), "tls-serve-key", pair.key, UNUSABLE[kind])
    # An authority with such a key is there and of no use, which is told.
    file, settings = others
    for setting in ("tls-cacerts", "tls-client-cacerts"):
        given = settings(setting)
        file.write_bytes(cert + CERT)
        warned = [check["message"] for check in findings(own, setting if setting == "tls-cacerts" else "tls", given)
                  if check["grade"] == "warn"]
        assert len(warned) == 1 and UNUSABLE[kind] in warned[0] and f"'{file}' line 1" in warned[0], warned


@pytest.mark.parametrize("form", ["PKCS#8", "SEC1", "RSA", "RSA PKCS#1", "P-384", "P-521", "Ed25519", "parameters before",
                                  "compressed point", "CRLF", "text before", "key and certificate in one file"])
def test_every_usual_form_of_key_and_certificate_serves(own, pair, tmp_path, form):
    key = {"RSA": RSA, "RSA PKCS#1": RSA, "P-384": KEYS["P-384"](), "Ed25519": KEYS["Ed25519"](),
           "P-521": ec.generate_private_key(ec.SECP521R1())}.get(form, KEY)
    cert, pem = certificate(key), private(key, SEC1 if form in ("SEC1", "RSA PKCS#1") else PKCS8)
    if form == "parameters before":
        pem = openssl("ecparam", "-name", "prime256v1") + private(key, SEC1)
        assert pem.startswith(b"-----BEGIN EC PARAMETERS")
    elif form == "compressed point":
        pem = openssl("ec", "-conv_form", "compressed", given=pem)
    elif form == "CRLF":
        cert, pem = cert.replace(b"\n", b"\r\n"), pem.replace(b"\n", b"\r\n")
    elif form == "text before":
        cert = openssl("x509", "-text", given=cert)
    elif form == "key and certificate in one file":
        cert = pem = cert + pem
    daemon = own.start(**pair.write(cert, pem))
    loaded = x509.load_pem_x509_certificate(certificate(key)).public_key()
    assert x509.load_der_x509_certificate(shown(daemon)).public_key() == loaded


@pytest.mark.parametrize("bits", [1024, 1536])
def test_a_short_rsa_key_is_told_at_start_and_by_the_examination(own, pair, others, bits):
    key = rsa.generate_private_key(65537, bits)
    settings = pair.write(certificate(key), private(key))
    words = f"has an RSA key of {bits} bits"
    warned = [check["message"] for check in findings(own, "tls", settings) if check["grade"] == "warn"]
    assert len(warned) == 1 and words in warned[0] and str(pair.cert) in warned[0]
    daemon = own.start(**settings)
    said(daemon, f"tls-serve-cert: the server's certificate {words}")
    assert daemon.terminate() == 0
    file, given = others
    trusted = given("tls-cacerts")
    file.write_bytes(certificate(key))
    assert words in [check["message"] for check in findings(own, "tls-cacerts", trusted)][1]
    said(own.start(**trusted), f"tls-cacerts: one {words}")


@pytest.mark.parametrize("start,days,words", [(-10, 5, "expired at"), (5, 10, "is not valid before")])
def test_an_authority_of_other_servers_out_of_its_time_is_told(own, others, start, days, words):
    file, given = others
    settings = given("tls-cacerts")
    file.write_bytes(CERT + certificate(KEY, start, days))
    warned = [check for check in findings(own, "tls-cacerts", settings) if check["grade"] == "warn"]
    assert len(warned) == 1 and f"tls-cacerts: one {words}" in warned[0]["message"]
    assert f"'{file}' line {len(BODY) + 1}" in warned[0]["message"] and warned[0]["remedy"]
    daemon = own.start(**settings)
    said(daemon, warned[0]["message"])
    # Once, though the files are looked at every ten seconds.
    os.kill(daemon.pid, signal.SIGUSR1)
    said(daemon, "SIGUSR1")
    assert daemon.log().count("tls-cacerts: one") == 1


def test_an_authority_that_expires_after_a_renewal_is_told(own, others):
    file, given = others
    settings = given("tls-cacerts")
    file.write_bytes(CERT)
    daemon = own.start(**settings)
    assert "tls-cacerts: one" not in daemon.log()
    file.write_bytes(CERT + certificate(KEY, -10, 5))
    os.kill(daemon.pid, signal.SIGHUP)
    said(daemon, "tls-cacerts: one expired at")


def test_a_certificate_signed_with_sha_1_is_told(own, pair, tmp_path):
    authority, key = tmp_path / "ca.key", tmp_path / "server.key"
    openssl("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", str(authority))
    openssl("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", str(key))
    root, asked = tmp_path / "ca.crt", tmp_path / "server.csr"
    openssl("req", "-x509", "-key", str(authority), "-subj", "/CN=ca", "-days", "2", "-out", str(root))
    openssl("req", "-new", "-key", str(key), "-subj", "/CN=localhost", "-out", str(asked))
    cert = openssl("x509", "-req", "-in", str(asked), "-CA", str(root), "-CAkey", str(authority), "-sha1", "-days", "2",
                   "-set_serial", "1")
    warned = [check["message"] for check in findings(own, "tls", pair.write(cert, key.read_bytes()))
              if check["grade"] == "warn"]
    assert len(warned) == 1 and "is signed with SHA-1" in warned[0] and str(pair.cert) in warned[0]


def test_damaged_keys_are_called_damaged(own, pair):
    lines = PEM.splitlines()
    short = base64.b64encode(base64.b64decode(b"".join(lines[1:-1]))[:60])
    for content in (lines[0] + b"\nAAAA\n" + lines[-1] + b"\n", lines[0] + b"\n***\n" + lines[-1] + b"\n",
                    lines[0] + b"\n" + short + b"\n" + lines[-1] + b"\n"):
        refused(own, pair.write(CERT, content), "tls-serve-key", pair.key, "damaged")


def test_a_folder_and_a_file_nobody_may_read_are_told(own, pair, tmp_path):
    settings = pair.write(CERT, PEM)
    assert "regular file" in own.refuses_to_start(codes=(78,), **{**settings, "KMS_TLS_SERVE_CERT": str(tmp_path)})
    assert Path(pair.cert).exists()
