"""Every setting that is a URL: one that no client could name, or two programs would read differently, is refused at start."""
import pytest
from test_gnap import BASE
from test_guards import SECRET

# Each part of a URL; every one of them would be accepted only to refuse each request later.
ODD = {
    "https://user@kms.example": "user name", "https://user:s3cret@kms.example": "user name", "https://@kms.example": "user name",
    "https://kms.example#part": "fragment", "https://kms.example/a#": "fragment", "https://kms.example:0": "port",
    "https://kms.example:65536": "port", "https://kms.example:abc": "port", "https://kms.example:": "port",
    "https://kms.example:0443": "port", "https://kms.example:-1": "port", "https://kms.example:443:443": "port",
    "https://": "no host", "https:///a": "no host", "https://:443": "no name", "https://kms..example": "no name",
    "https://kms example": "blank", "https://kms.ex\u00e4mple": "ASCII", "https://kms.exa\u0301mple": "ASCII",
    "https://k\u212ams.example": "ASCII", "https://kms.example/a b": "blank", "https://kms.example/\u00e9": "ASCII",
    "https://kms.example\\a": "percent-encoded", "https://kms.example/a|b": "percent-encoded",
    "https://%6bms.example": "no name", "https://kms,example": "no name", "https://[::1": "port", "https://[kms.example]": "IPv6",
    "https://[fe80::1%25eth0]": "IPv6", "https://::1": "port", "https://2130706433": "unusual spelling",
    "https://0x7f.1": "unusual spelling", "https://127.1": "unusual spelling", "https://010.0.0.1": "unusual spelling",
    "https://1.2.3.4.5": "unusual spelling", "HTTPS://kms.example": "lower case", "ftp://kms.example": "https://",
    "kms.example": "https://", "//kms.example": "https://", "https:/kms.example": "https://", "https:kms.example": "https://",
    "https://kms.example/%zz": "hexadecimal", "https://kms.example/%4": "hexadecimal", "https://" + "a" * 64 + ".example": "no name",
    "https://kms.example/" + "a" * 2048: "longer",
}
ODD_BASES = {
    "https://kms.example?x=1": "query", "https://kms.example/a?": "query", "https://kms.example/a/../b": "'..'",
    "https://kms.example/./a": "'.'", "https://kms.example/a/%2e%2E/b": "'..'", "https://kms.example/a//b": "'//'",
    "https://https://kms.example": "port",
}
GNAP = {"KMS_AUTH_TYPE": "GNAP", "KMS_BASE_URL": BASE, "KMS_GNAP_SIGNING_KEY": "/nonexistent/key"}
AWS = "aws-kms://arn:aws:kms:eu-central-1:123456789012:key/1"
# By setting: what it needs beside it, and whether it is called whole, with its query.
SETTINGS = {
    "base-url": ({}, False), "jwt-jwks-url": ({"KMS_ADMIN_GUARD": "jwt"}, True),
    "auth-server-url": ({"KMS_AUTH_SERVER_TOKEN_FILE": "/nonexistent/token"}, False), "auth-server-url of GNAP": (GNAP, False),
    "split-auth-url": ({"KMS_ROLE": "vault"}, False), "secret-lock-aws-endpoint": ({"KMS_SECRET_LOCK_AWS_KEY_URI": AWS}, False),
    "key-manager-storage-url": ({"KMS_LEGACY_G1_ROUTES": "true"}, False),
}


def variable(setting):
    return "KMS_" + setting.split()[0].upper().replace("-", "_")


@pytest.mark.parametrize("setting", SETTINGS)
def test_an_odd_url_is_refused_with_what_is_odd(own, setting):
    more, is_whole = SETTINGS[setting]
    name = variable(setting)
    odd = {**ODD, **({} if is_whole else ODD_BASES)}
    if setting != "base-url":
        # All are read by the same code; a few of each kind show that it is asked.
        odd = dict(list(odd.items())[::6])
    for url, words in odd.items():
        # Nothing but the configuration is read by this verb.
        result = own.run("keystore", "list", check=False, **{**more, name: url})
        assert result.returncode == 78, (url, result.stderr)
        assert name in result.stderr and words in result.stderr, (url, result.stderr)
        assert "s3cret" not in result.stderr
    said = own.refuses_to_start(codes=(78,), **{**more, name: "https://user@kms.example"})
    assert name in said and "user name" in said
    found = own.run("doctor", check=False, **{**more, name: "https://user@kms.example"})
    assert found.returncode == 2 and "user name" in found.stdout


@pytest.mark.parametrize("url", [
    "https://kms.example", "https://kms.example/", "https://kms.example///", "http://127.0.0.1:8074", "https://[2001:db8::1]:8443",
    "https://KMS.Example.:443/kms/v%201", "https://kms_1.example/a/~b/c.d", "https://xn--ksm-xka.example/..a/b..", "/", ""])
def test_every_usual_url_is_taken(own, url):
    assert own.run("keystore", "list", KMS_BASE_URL=url).returncode == 0


def test_the_key_set_s_url_may_have_a_query(own):
    own.run("keystore", "list", KMS_ADMIN_GUARD="jwt", KMS_JWT_JWKS_URL="https://id.example/keys?p=b2c_1&v=2.0")


@pytest.mark.parametrize("origin", [
    "https://user@wallet.example", "https://wallet.example/", "https://wallet.example/a", "https://wallet.example?x",
    "https://wallet.example#x", "https://wallet.example:0", "https://wallet.example:443", "http://wallet.example:80",
    "https://Wallet.example", "https://", "https://*", "*", "null", "https://w\u00e4llet.example", "https://wa\u0301llet.example",
    "http://https://wallet.example", "https://wallet.example, https://b.example"])
def test_an_origin_is_what_browsers_send(own, tmp_path, origin):
    secret = tmp_path / "secret"
    secret.touch(mode=0o600)
    secret.write_bytes(SECRET)
    result = own.run("keystore", "list", check=False, KMS_JWT_SECRET_FILE=str(secret), KMS_CORS_ORIGINS=origin)
    assert result.returncode == 78 and "KMS_CORS_ORIGINS" in result.stderr, result.stderr
