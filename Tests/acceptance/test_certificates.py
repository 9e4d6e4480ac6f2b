"""The listener's certificate and key: what is wrong with them is said, at start and by the examination."""
import subprocess
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from test_guards import authority  # noqa: F401
from test_signals import SERVER, shown

NAME = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
PKCS8, SEC1 = PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL
PLAIN = NoEncryption()
KEYS = {"P-256": lambda: ec.generate_private_key(ec.SECP256R1()), "P-384": lambda: ec.generate_private_key(ec.SECP384R1()),
        "RSA": lambda: rsa.generate_private_key(65537, 2048), "Ed25519": ed25519.Ed25519PrivateKey.generate}


def certificate(key, start=-1, days=2):
    """PEM of one that signs itself, from `start` days from now on."""
    begin = datetime.now(timezone.utc) + timedelta(days=start)
    algorithm = None if isinstance(key, ed25519.Ed25519PrivateKey) else hashes.SHA256()
    built = (x509.CertificateBuilder().subject_name(NAME).issuer_name(NAME).public_key(key.public_key())
             .serial_number(x509.random_serial_number()).not_valid_before(begin)
             .not_valid_after(begin + timedelta(days=days)).sign(key, algorithm))
    return built.public_bytes(Encoding.PEM)


def private(key, form=PKCS8, encryption=PLAIN):
    return key.private_bytes(Encoding.PEM, form, encryption)


class Pair:
    def __init__(self, folder):
        self.cert, self.key = folder / "tls.crt", folder / "tls.key"
        self.settings = {"KMS_TLS_SERVE_CERT": str(self.cert), "KMS_TLS_SERVE_KEY": str(self.key)}

    def write(self, cert, key, mode=0o600):
        self.cert.write_bytes(cert)
        self.key.write_bytes(key)
        self.key.chmod(mode)
        return self.settings


@pytest.fixture
def pair(tmp_path):
    return Pair(tmp_path)


def examined(own, settings):
    return [check for check in own.run_json("doctor", codes=(0, 2), **settings)["checks"] if check["name"] == "tls"]


@pytest.mark.parametrize("kind", KEYS)
def test_every_kind_of_key_is_told_from_that_of_another_certificate(own, pair, kind):
    key, other = KEYS[kind](), KEYS[kind]()
    settings = pair.write(certificate(key), private(other))
    said = own.refuses_to_start(codes=(78,), **settings)
    assert "the key of another certificate" in said and str(pair.key) in said and str(pair.cert) in said
    assert [check["grade"] for check in examined(own, settings)] == ["fail"]
    assert "the key of another certificate" in examined(own, settings)[0]["message"]
    for stranger in KEYS:
        if stranger != kind:
            pair.write(certificate(key), private(KEYS[stranger]()))
            assert "the key of another certificate" in own.run("doctor", check=False, **settings).stdout, stranger
    pair.write(certificate(key), private(key))
    assert [check["grade"] for check in examined(own, settings)] == ["ok"]


@pytest.mark.parametrize("form", [PKCS8, SEC1])
@pytest.mark.parametrize("kind", ["P-256", "RSA"])
def test_an_encrypted_key_is_called_encrypted(own, pair, kind, form):
    key = KEYS[kind]()
    settings = pair.write(certificate(key), private(key, form, BestAvailableEncryption(b"a passphrase")))
    said = own.refuses_to_start(codes=(78,), **settings)
    assert "is encrypted" in said and str(pair.key) in said and "openssl pkey" in said
    assert "is encrypted" in examined(own, settings)[0]["message"]
    # What the message says to do helps.
    subprocess.run(["openssl", "pkey", "-in", pair.key, "-passin", "pass:a passphrase", "-out", f"{pair.key}.plain"],
                   check=True, capture_output=True)
    pair.write(pair.cert.read_bytes(), Path(f"{pair.key}.plain").read_bytes())
    assert [check["grade"] for check in examined(own, settings)] == ["ok"]


def test_the_server_certificate_must_be_first(own, pair, authority):  # noqa: F811
    cert, key = (Path(path).read_bytes() for path in authority.issue("server", SERVER))
    issuer = Path(authority.certificate).read_bytes()
    settings = pair.write(issuer + cert, key)
    assert "certificate first" in own.refuses_to_start(codes=(78,), **settings)
    own.start(**pair.write(cert + issuer, key))


@pytest.mark.parametrize("start,days,words", [(-10, 5, "expired at"), (5, 10, "is not valid before")])
def test_a_certificate_out_of_its_time_is_told_at_start_and_by_the_examination(own, pair, start, days, words):
    key = KEYS["P-256"]()
    settings = pair.write(certificate(key, start, days), private(key))
    grades = {check["grade"]: check["message"] for check in examined(own, settings)}
    assert set(grades) == {"ok", "warn"} and words in grades["warn"]
    daemon = own.start(**settings)
    assert f"tls-serve-cert: the server's certificate {words}" in daemon.log()
    assert shown(daemon)


def test_a_certificate_for_another_purpose_is_told_at_start_and_by_the_examination(own, authority):  # noqa: F811
    """Every client refuses it, and the server that shows it is the only one who can say why."""
    for usage in ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.CODE_SIGNING:
        cert, key = authority.issue("other", usage)
        settings = {"KMS_TLS_SERVE_CERT": cert, "KMS_TLS_SERVE_KEY": key}
        grades = {check["grade"]: check["message"] for check in examined(own, settings)}
        assert set(grades) == {"ok", "warn"} and "not one for servers" in grades["warn"] and cert in grades["warn"], grades
    daemon = own.start(**settings)
    assert "tls-serve-cert: the server's certificate is not one for servers" in daemon.log()
    for usage in ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE:
        cert, key = authority.issue("server", usage)
        settings = {"KMS_TLS_SERVE_CERT": cert, "KMS_TLS_SERVE_KEY": key}
        assert [check["grade"] for check in examined(own, settings)] == ["ok"]


def test_an_expired_certificate_of_the_chain_or_of_an_authority_is_told(own, pair, tmp_path, authority):  # noqa: F811
    cert, key = (Path(path).read_bytes() for path in authority.issue("server", SERVER))
    old = certificate(KEYS["P-256"](), -10, 5)
    (tmp_path / "clients.pem").write_bytes(old)
    settings = {**pair.write(cert + old, key), "KMS_ADMIN_GUARD": "mtls",
                "KMS_TLS_CLIENT_CACERTS": str(tmp_path / "clients.pem")}
    told = [check["message"] for check in examined(own, settings) if check["grade"] == "warn"]
    assert len(told) == 2
    assert "tls-serve-cert: the chain's certificate expired" in told[0] and "tls-client-cacerts: one expired" in told[1]
    log = own.start(**settings).log()
    assert all(message in log for message in told)


def test_every_other_fault_names_the_file_and_the_reason(own, pair):
    key = KEYS["P-256"]()
    cert, pem = certificate(key), private(key)
    der = key.private_bytes(Encoding.DER, PKCS8, PLAIN)
    for bad_cert, bad_key, mode, words, code in [
            (b"", pem, 0o600, ("tls-serve-cert", "PEM"), 78), (cert, b"", 0o600, ("tls-serve-key", "1 to 65536 bytes"), 77),
            (cert, cert, 0o600, ("tls-serve-key", "holds a certificate and no private key"), 78),
            (cert, der, 0o600, ("tls-serve-key", "no PEM private key"), 78),
            (pem, pem, 0o600, ("tls-serve-cert", "PEM"), 78), (cert[:200], pem, 0o600, ("tls-serve-cert", "is cut off"), 78),
            (cert, pem[:100], 0o600, ("tls-serve-key", "is cut off"), 78),
            (cert, pem, 0o644, ("tls-serve-key", "chmod 600"), 77), (cert, pem, 0o620, ("tls-serve-key", "chmod 600"), 77)]:
        said = own.refuses_to_start(codes=(code,), **pair.write(bad_cert, bad_key, mode))
        assert all(word in said for word in words), (words, said)
        assert pem.decode().splitlines()[1] not in said
    settings = pair.write(cert, pem)
    pair.key.unlink()
    assert "No such file" in own.refuses_to_start(codes=(77,), **settings)
    pair.key.mkdir()
    assert "regular file" in own.refuses_to_start(codes=(77,), **settings)


def test_a_link_to_the_present_files_is_followed(own, pair, tmp_path):
    """As certbot keeps them."""
    key = KEYS["P-256"]()
    archive = tmp_path / "archive"
    archive.mkdir()
    (archive / "1.crt").write_bytes(certificate(key))
    (archive / "1.key").write_bytes(private(key))
    (archive / "1.key").chmod(0o600)
    pair.cert.symlink_to("archive/1.crt")
    pair.key.symlink_to("archive/1.key")
    assert shown(own.start(**pair.settings))
