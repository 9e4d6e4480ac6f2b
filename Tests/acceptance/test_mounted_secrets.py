"""Secrets as systemd, Kubernetes and Docker put them: the layouts of each, and everything that must not pass for one."""
import os
import shutil
import signal
import struct
from pathlib import Path

import pytest
import requests
from auth_server import TOKEN, AuthServer
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from daemon import eventually
from test_guards import BODY, SECRET, authority  # noqa: F401
from test_signals import SERVER, der, shown
from tokens import bearer, hs256

OWN, STRANGER = os.getegid(), 4711


class Volume:
    """A directory of credentials, laid out as the kubelet does it: links to `..data`, itself a link to a dated one."""

    def __init__(self, path, mode=0o440, group=OWN):
        self.path, self.mode, self.group, self.rounds = Path(path), mode, group, 0
        self.path.mkdir()
        self.path.chmod(0o1777)
        self.content = {}

    def put(self, **content):
        """All at once, as an update is."""
        self.content |= {name.replace("_", "."): text for name, text in content.items()}
        self.rounds += 1
        dated = self.path / f"..2026_11_29_10_00_00.{self.rounds:09}"
        dated.mkdir()
        dated.chmod(0o755)
        for name, text in self.content.items():
            file = dated / name
            file.write_bytes(text)
            os.chown(file, -1, self.group)
            file.chmod(self.mode)
            if not (self.path / name).is_symlink():
                (self.path / name).symlink_to(f"..data/{name}")
        fresh = self.path / "..data_tmp"
        fresh.symlink_to(dated.name)
        old = os.readlink(self.path / "..data") if (self.path / "..data").is_symlink() else None
        os.replace(fresh, self.path / "..data")
        if old:
            shutil.rmtree(self.path / old)
        return self


def with_credential(own, name="user.pin"):
    uri = own.token.uri()
    return uri.replace(f"pin-source=file:{own.token.pin_file}", f"pin-source=credential:{name}")


@pytest.fixture
def pin(bare):
    return bare.token.pin_file.read_bytes()


@pytest.mark.parametrize("mode", [0o400, 0o440, 0o600, 0o640])
def test_a_pin_in_a_volume_of_kubernetes(bare, pin, tmp_path, mode):
    volume = Volume(tmp_path / "secrets", mode).put(user_pin=pin)
    bare.settings |= {"KMS_TOKEN_URI": with_credential(bare), "KMS_CREDENTIALS_DIRECTORY": str(volume.path)}
    bare.init().start().client().create_keystore().create("ECDSAP256DER").sign(b"m")
    checks = {check["name"]: check["grade"] for check in bare.run_json("doctor", codes=(0, 2))["checks"]}
    assert checks["pin"] == "ok"


def test_the_directory_may_be_named_as_systemd_names_it_or_by_a_flag(bare, pin, tmp_path):
    volume = Volume(tmp_path / "secrets").put(user_pin=pin)
    bare.settings["KMS_TOKEN_URI"] = with_credential(bare)
    assert "credentials-directory" in bare.run("init", check=False).stderr
    bare.run("init", CREDENTIALS_DIRECTORY=str(volume.path))
    bare.start(arguments=["--credentials-directory", str(volume.path)], CREDENTIALS_DIRECTORY="/nowhere")
    bare.daemons[-1].terminate()
    # Empty is not given.
    bare.start(KMS_CREDENTIALS_DIRECTORY="", CREDENTIALS_DIRECTORY=str(volume.path))


def docker(path, files, mode=0o444):
    """`/run/secrets` of a container."""
    path.mkdir()
    path.chmod(0o755)
    for name, text in files.items():
        (path / name).write_bytes(text)
        (path / name).chmod(mode)
    return path


def test_docker_s_secrets_are_taken_when_that_is_said(bare, pin, tmp_path):
    secrets = docker(tmp_path / "secrets", {"user_pin": pin})
    bare.settings |= {"KMS_TOKEN_URI": with_credential(bare, "user_pin"), "KMS_CREDENTIALS_DIRECTORY": str(secrets)}
    refused = bare.run("init", check=False)
    assert refused.returncode == 77 and "credentials-world-readable" in refused.stderr and "444" in refused.stderr
    # What the refusal says helps.
    bare.settings["KMS_CREDENTIALS_WORLD_READABLE"] = "true"
    daemon = bare.init().start()
    daemon.client().create_keystore().create("ECDSAP256DER").sign(b"m")
    assert daemon.terminate() == 0
    # It is for credentials alone.
    wide = tmp_path / "wide.pin"
    wide.write_bytes(pin)
    wide.chmod(0o444)
    uri = bare.token.uri().replace(str(bare.token.pin_file), str(wide))
    assert "444" in bare.refuses_to_start(codes=(77,), KMS_TOKEN_URI=uri)


def test_a_docker_secret_of_mode_0400_needs_nothing_said(bare, pin, tmp_path):
    secrets = docker(tmp_path / "secrets", {"user_pin": pin}, mode=0o400)
    bare.settings |= {"KMS_TOKEN_URI": with_credential(bare, "user_pin"), "KMS_CREDENTIALS_DIRECTORY": str(secrets)}
    bare.init()


UNDEFINED = 0xFFFFFFFF
OWNER, USER, OWN_GROUP, GROUP, MASK, OTHER = 0x01, 0x02, 0x04, 0x08, 0x10, 0x20


def grant(path, *entries, mask=4, group=0):
    """An access list as setfacl(1) writes it: tag, rights and id of those beside owner, group, mask and others."""
    found = [(OWNER, 4, UNDEFINED), (OWN_GROUP, group, UNDEFINED), (MASK, mask, UNDEFINED), (OTHER, 0, UNDEFINED), *entries]
    found.sort(key=lambda entry: (entry[0], entry[2]))
    os.setxattr(path, "system.posix_acl_access", struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *e) for e in found))


@pytest.mark.parametrize("entries,group,refusal", [
    ([(USER, 4, STRANGER)], 0, "user 4711"), ([(GROUP, 4, STRANGER)], 0, "group 4711"),
    ([(USER, 4, os.geteuid()), (USER, 4, STRANGER)], 4, "user 4711"), ([(USER, 6, STRANGER)], 0, "user 4711"),
    ([(USER, 4, os.geteuid())], 0, None), ([(USER, 0, STRANGER)], 4, None), ([(GROUP, 4, OWN)], 0, None)])
def test_an_access_list_counts_beside_the_mode(bare, pin, tmp_path, entries, group, refusal):
    """The mode shows 0440 for each: what the group's bits mean is in the list, as systemd's credentials have one."""
    volume = Volume(tmp_path / "secrets").put(user_pin=pin)
    file = (volume.path / "user.pin").resolve()
    grant(file, *entries, group=group)
    assert file.stat().st_mode & 0o777 == 0o440
    settings = {"KMS_TOKEN_URI": with_credential(bare), "KMS_CREDENTIALS_DIRECTORY": str(volume.path)}
    result = bare.run("init", check=False, **settings)
    if refusal is None:
        assert result.returncode == 0, result.stderr
        return
    assert result.returncode == 77 and f"lets {refusal} read it" in result.stderr and "setfacl" in result.stderr
    found = bare.run("doctor", check=False, **settings)
    assert "fail  pin" in found.stdout and refusal in found.stdout


def test_an_access_list_whose_mask_takes_all_away_grants_nothing(bare, pin, tmp_path):
    volume = Volume(tmp_path / "secrets").put(user_pin=pin)
    file = (volume.path / "user.pin").resolve()
    grant(file, (USER, 4, STRANGER), mask=0)
    assert file.stat().st_mode & 0o777 == 0o400
    bare.run("init", KMS_TOKEN_URI=with_credential(bare), KMS_CREDENTIALS_DIRECTORY=str(volume.path))


def test_a_list_on_a_plain_path_shows_in_its_mode(bare, pin):
    """A right to read of somebody else needs a mask, and the mask is the group's bits."""
    file = bare.token.pin_file
    grant(file, (USER, 4, STRANGER))
    refused = bare.run("init", check=False)
    assert refused.returncode == 77 and "440" in refused.stderr


class Refused:
    """Ways to lay out a credential called `pin` that must not be taken: each changes a good volume."""

    @staticmethod
    def link_out_by_an_absolute_path(volume, outside):
        relink(volume.path / "pin", outside)

    @staticmethod
    def link_out_by_parents(volume, outside):
        relink(volume.path / "pin", os.path.relpath(outside, volume.path))

    @staticmethod
    def data_out(volume, outside):
        relink(volume.path / "..data", outside.parent)

    @staticmethod
    def link_out_and_in_again(volume, outside):
        relink(volume.path / "pin", f"../{volume.path.name}/..data/pin")

    @staticmethod
    def link_out_behind_an_accent(volume, outside):
        """Who cuts at characters sees no slash before the accent, and one name of two parts."""
        (outside.parent / "\u0301pin").write_bytes(outside.read_bytes())
        (outside.parent / "\u0301pin").chmod(0o600)
        (volume.path / "out").symlink_to(outside.parent)
        relink(volume.path / "pin", "out/\u0301pin")

    @staticmethod
    def link_to_itself(volume, outside):
        relink(volume.path / "pin", "pin")

    @staticmethod
    def link_to_nothing(volume, outside):
        relink(volume.path / "pin", "..data/nothing")

    @staticmethod
    def links_without_end(volume, outside):
        for index in range(20):
            (volume.path / f"l{index}").symlink_to(f"l{index + 1}")
        (volume.path / "l20").symlink_to("..data/pin")
        relink(volume.path / "pin", "l0")

    @staticmethod
    def writable_by_the_group(volume, outside):
        (volume.path / "pin").resolve().chmod(0o460)

    @staticmethod
    def writable_by_others(volume, outside):
        (volume.path / "pin").resolve().chmod(0o402)

    @staticmethod
    def readable_by_everybody(volume, outside):
        (volume.path / "pin").resolve().chmod(0o444)

    @staticmethod
    def can_be_run(volume, outside):
        (volume.path / "pin").resolve().chmod(0o500)

    @staticmethod
    def readable_by_a_group_of_others(volume, outside):
        os.chown((volume.path / "pin").resolve(), -1, STRANGER)

    @staticmethod
    def of_another_user(volume, outside):
        os.chown((volume.path / "pin").resolve(), STRANGER, -1)

    @staticmethod
    def link_of_another_user(volume, outside):
        os.lchown(volume.path / "pin", STRANGER, -1)

    @staticmethod
    def dated_directory_of_another_user(volume, outside):
        os.chown((volume.path / "..data").resolve(), STRANGER, -1)

    @staticmethod
    def directory_of_another_user(volume, outside):
        os.chown(volume.path, STRANGER, -1)

    @staticmethod
    def directory_others_can_write(volume, outside):
        volume.path.chmod(0o777)

    @staticmethod
    def dated_directory_others_can_write(volume, outside):
        (volume.path / "..data").resolve().chmod(0o775)

    @staticmethod
    def fifo(volume, outside):
        (volume.path / "pin").unlink()
        os.mkfifo(volume.path / "pin", 0o600)

    @staticmethod
    def directory_for_a_file(volume, outside):
        (volume.path / "pin").unlink()
        (volume.path / "pin").mkdir()

    @staticmethod
    def device(volume, outside):
        relink(volume.path / "pin", "/dev/zero")

    @staticmethod
    def too_long(volume, outside):
        volume.put(pin=b"1" * (1 << 22))

    @staticmethod
    def empty(volume, outside):
        volume.put(pin=b"")

    @staticmethod
    def absent(volume, outside):
        (volume.path / "pin").unlink()


def relink(path, target):
    path.unlink()
    path.symlink_to(target)


WAYS = [name for name in vars(Refused) if not name.startswith("_")]
AS_ROOT = ("of_another_user", "by_a_group_of_others")


@pytest.mark.parametrize("way", WAYS)
def test_what_is_no_credential_is_refused(bare, pin, tmp_path, way):
    if os.geteuid() != 0 and any(part in way for part in AS_ROOT):
        # Only root gives files away, so nobody else can plant one; what is left to show is that the good one is taken.
        way = None
    volume, outside = Volume(tmp_path / "secrets").put(pin=pin), tmp_path / "outside" / "pin"
    outside.parent.mkdir(mode=0o700)
    outside.write_bytes(pin)
    outside.chmod(0o600)
    settings = {"KMS_TOKEN_URI": with_credential(bare, "pin"), "KMS_CREDENTIALS_DIRECTORY": str(volume.path)}
    if way:
        getattr(Refused, way)(volume, outside)
        refused = bare.run("init", check=False, timeout=20, **settings)
        assert refused.returncode == 77, refused.stderr
        assert f"{volume.path}/pin" in refused.stderr and pin.decode() not in refused.stderr
        assert not (bare.home / "manifest.json").exists()
        volume.path.chmod(0o1777)
        os.chown(volume.path, os.geteuid(), -1)
        shutil.rmtree(volume.path)
        volume = Volume(tmp_path / "secrets").put(pin=pin)
    bare.run("init", **settings)


@pytest.mark.parametrize("name", ["", ".", "..", "../pin", "a/pin", "/etc/passwd"])
def test_a_credential_is_a_plain_name(bare, tmp_path, name):
    refused = bare.run("init", check=False, KMS_TOKEN_URI=with_credential(bare, name),
                       KMS_CREDENTIALS_DIRECTORY=str(tmp_path))
    assert refused.returncode in (77, 78) and "name" in refused.stderr


def test_a_plain_path_stays_strict_and_the_refusal_names_the_way(bare, pin, tmp_path):
    volume = Volume(tmp_path / "secrets").put(user_pin=pin)
    for file in (volume.path / "user.pin", (volume.path / "user.pin").resolve()):
        uri = bare.token.uri().replace(str(bare.token.pin_file), str(file))
        refused = bare.run("init", check=False, KMS_TOKEN_URI=uri)
        assert refused.returncode == 77 and "credential:NAME" in refused.stderr, refused.stderr
        assert "credentials-directory" in refused.stderr


PEM = (Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
AWS = b"[default]\naws_access_key_id = AKIDEXAMPLE\naws_secret_access_key = abcdefgh\n"


def test_everything_that_is_read_may_be_a_credential(own, tmp_path, authority):  # noqa: F811
    """Configuration, PIN, TLS files, authorities, tokens' secrets, locks: one volume, as one Pod mounts it."""
    cert, key = (Path(path).read_bytes() for path in authority.issue("server", SERVER))
    gnap = ec.generate_private_key(ec.SECP256R1()).private_bytes(*PEM)
    auth = AuthServer()
    try:
        configuration = (
            f"token-uri: '{with_credential(own)}'\ntls-serve-cert: credential:tls.crt\n"
            "tls-serve-key: credential:tls.key\nadmin-guard: jwt\njwt-secret-file: credential:jwt.secret\n"
            "secret-lock-passphrase-file: credential:lock.passphrase\nauth-server-token-file: credential:auth.token\n"
            f"auth-server-url: {auth.url}\noutbound-allow: 127.0.0.1\ntls-cacerts: credential:servers.pem\n"
            "secret-lock-aws-key-uri: aws-kms://arn:aws:kms:eu-central-1:123456789012:key/1\n"
            "secret-lock-aws-credentials-file: credential:aws\n")
        volume = Volume(tmp_path / "secrets").put(
            kmsd_yaml=configuration.encode(), user_pin=own.token.pin_file.read_bytes(), tls_crt=cert, tls_key=key,
            jwt_secret=SECRET, lock_passphrase=b"correct horse battery staple", auth_token=TOKEN.encode(),
            servers_pem=Path(authority.certificate).read_bytes(), aws=AWS, gnap_pem=gnap, lock_key=bytes(range(200, 232)))
        del own.settings["KMS_TOKEN_URI"]
        own.settings |= {"KMS_CREDENTIALS_DIRECTORY": str(volume.path), "KMS_CONFIG": "credential:kmsd.yaml"}
        daemon = own.start(ready=False)
        daemon.base = daemon.base.replace("http:", "https:")
        daemon.wait_until_ready()
        trust = authority.certificate
        assert requests.post(f"{daemon.base}/v1/keystores", json=BODY, verify=trust, timeout=10).status_code == 401
        assert requests.post(f"{daemon.base}/v1/keystores", json=BODY, headers=bearer(hs256(SECRET)), verify=trust,
                             timeout=10).status_code in (200, 400)
        assert own.run("dev", "jwt", "--user", "a").stdout.strip()
        # The kubelet exchanges all files at once; the new certificate is served.
        new = authority.issue("renewed", SERVER)
        volume.put(tls_crt=Path(new[0]).read_bytes(), tls_key=Path(new[1]).read_bytes())
        os.kill(daemon.pid, signal.SIGHUP)
        eventually(lambda: shown(daemon) == der(new[0]), 20, "the new certificate")
        assert daemon.terminate() == 0
        # Those that stand alone.
        for settings in (
                {"KMS_AUTH_TYPE": "GNAP", "KMS_GNAP_SIGNING_KEY": "credential:gnap.pem",
                 "KMS_BASE_URL": "https://kms.example"},
                {"KMS_ADMIN_GUARD": "mtls", "KMS_TLS_CLIENT_CACERTS": "credential:servers.pem"},
                # Last, because the databases are sealed by the server's lock from then on.
                {"KMS_SECRET_LOCK_TYPE": "local", "KMS_SECRET_LOCK_KEY_PATH": "credential:lock.key"}):
            daemon = own.start(ready=False, **settings)
            daemon.base = daemon.base.replace("http:", "https:")
            daemon.wait_until_ready()
            assert daemon.terminate() == 0
    finally:
        auth.end()


@pytest.mark.parametrize("name,settings", [
    ("tls.key", {"KMS_TLS_SERVE_CERT": "credential:tls.crt", "KMS_TLS_SERVE_KEY": "credential:tls.key"}),
    ("jwt.secret", {"KMS_ADMIN_GUARD": "jwt", "KMS_JWT_SECRET_FILE": "credential:jwt.secret"}),
    ("lock.key", {"KMS_SECRET_LOCK_TYPE": "local", "KMS_SECRET_LOCK_KEY_PATH": "credential:lock.key"})])
def test_every_secret_is_refused_when_everybody_can_read_it(own, tmp_path, authority, name, settings):  # noqa: F811
    cert, key = (Path(path).read_bytes() for path in authority.issue("server", SERVER))
    volume = Volume(tmp_path / "secrets").put(tls_crt=cert, tls_key=key, jwt_secret=SECRET, lock_key=bytes(range(200, 232)))
    settings |= {"KMS_CREDENTIALS_DIRECTORY": str(volume.path)}
    (volume.path / name).resolve().chmod(0o444)
    said = own.refuses_to_start(codes=(77,), **settings)
    assert "credentials-world-readable" in said and name in said
    daemon = own.start(ready=False, KMS_CREDENTIALS_WORLD_READABLE="true", **settings)
    daemon.base = f"{'https' if 'KMS_TLS_SERVE_CERT' in settings else 'http'}://127.0.0.1:{daemon.port}"
    daemon.wait_until_ready()


def test_a_configuration_that_others_can_write_is_no_credential(own, tmp_path):
    volume = Volume(tmp_path / "secrets").put(kmsd_yaml=b"log-level: debug\n")
    settings = {"KMS_CREDENTIALS_DIRECTORY": str(volume.path), "KMS_CONFIG": "credential:kmsd.yaml"}
    file = (volume.path / "kmsd.yaml").resolve()
    file.chmod(0o464)
    assert "others can write" in own.refuses_to_start(codes=(77,), **settings)
    file.chmod(0o444)
    own.start(**settings)
    said = own.refuses_to_start(codes=(77,), KMS_CONFIG=str(volume.path / "kmsd.yaml"))
    assert "credential:NAME" in said
