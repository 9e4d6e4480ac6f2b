"""TrustBloc's flows with real processes: an authorization server, an operational one, an Auth server, a vault server
and AWS KMS as moto serves it. docs/flows.md tells them."""
import base64
import gzip
import json

import pytest
import requests
import zcap
from auth_server import TOKEN
from daemon import Installation
from test_locks import auth, aws, presenting, shares  # noqa: F401  (fixtures)
from test_vaults import server, vault_of  # noqa: F401  (fixture)
from webkms_client import Keystore


@pytest.fixture
def homes(tmp_path):
    made = []

    def make(name, **settings):
        made.append(Installation(tmp_path / name, **settings).init())
        return made[-1]

    yield make
    for home in made:
        home.end()


def private(path, text):
    path.write_text(text)
    path.chmod(0o600)
    return str(path)


def aws_settings(aws, tmp_path):  # noqa: F811
    url, call = aws
    arn = call("CreateKey")["KeyMetadata"]["Arn"]
    return {"KMS_SECRET_LOCK_TYPE": "aws", "KMS_SECRET_LOCK_AWS_KEY_URI": "aws-kms://" + arn,
            "KMS_SECRET_LOCK_AWS_ENDPOINT": url, "KMS_SECRET_LOCK_AWS_CREDENTIALS_FILE": private(
                tmp_path / "aws.credentials", "[default]\naws_access_key_id = A\naws_secret_access_key = S\n")}


class RemoteKey:
    """The controller's key: it signs at the authorization server and nowhere else."""

    def __init__(self, key):
        self.key = key
        fingerprint = "z" + zcap.base58(b"\xed\x01" + key.public_key)
        self.did = f"did:key:{fingerprint}#{fingerprint}"

    def sign(self, data):
        return self.key.sign(data)


class Invoker:
    """Calls a guarded server with a capability, each request signed by its invoker."""

    def __init__(self, base, signer, capability):
        self.base, self.signer, self.capability = base, signer, capability

    def call(self, action, path, body, status=200):
        headers = zcap.invoke(self.signer, self.capability, action, "POST", path)
        answer = requests.post(self.base + path, data=json.dumps(body), headers=headers, timeout=30)
        assert answer.status_code == status, answer.text
        return answer.json() if answer.content else None


def path_of(url):
    return "/v1" + url.partition("/v1")[2]


def test_keys_locked_by_aws(homes, aws, tmp_path):  # noqa: F811
    """Scenario 1: the server's lock is AWS KMS, the keys lie in the server's own store."""
    settings = aws_settings(aws, tmp_path)
    home = homes("scenario-1", KMS_OUTBOUND_ALLOW=aws[0].removeprefix("http://"), **settings)
    keystore = home.start().client().create_keystore("did:example:alice")
    key = keystore.create("ED25519")
    signature = key.sign(b"m")
    home.daemons[-1].terminate()
    client = home.start().client()
    again = Keystore(client, keystore.url)
    again.key(key.id).verify(signature, b"m")
    assert again.metadata()["lock_slots"][0]["kind"] == "aws"


def test_keystore_and_key_from_the_command_line(homes):
    """TrustBloc's command-line client: a keystore, then a key in it."""
    home = homes("command-line")
    base = home.start().base
    made = home.run_json("keystore", "create", "--controller", "did:example:alice", "--url", base)
    keystore = made["key_store_url"].rsplit("/", 1)[1]
    key = home.run_json("key", "create", "--keystore", keystore, "--type", "ED25519", "--url", base + "/")
    assert len(base64.b64decode(key["public_key"])) == 32
    again = home.run("key", "create", KMS_CLI_URL=base, KMS_CLI_KEYSTORE_ID=keystore, KMS_KEY_TYPE="AES256GCM")
    assert keystore in again.stdout
    for arguments, code in ((("key", "create", "--keystore", "../x", "--type", "ED25519", "--url", base), 64),
                            (("key", "create", "--keystore", keystore, "--type", "RSA", "--url", base), 1),
                            (("keystore", "create", "--controller", "did:example:a", "--url", "ftp://x"), 64),
                            (("keystore", "create", "--controller", "did:example:a", "--url", "http://127.0.0.1:1"), 69)):
        assert home.run(*arguments, check=False).returncode == code, arguments


def test_shares_on_one_server_open_keys_of_another(homes, auth, shares, server, aws, tmp_path):  # noqa: F811
    """Seed flow: the controller's key is locked by shares on one server and signs for everything on the other."""
    # 1. The wallet deposits one share.
    auth.give("alice", shares[1])
    authorization = homes(
        "authorization", KMS_AUTH_SERVER_URL=auth.url, KMS_OUTBOUND_ALLOW=f"127.0.0.1:{auth.port}",
        KMS_AUTH_SERVER_TOKEN_FILE=private(tmp_path / "auth.token", TOKEN + "\n"))
    operational = homes(
        "operational", KMS_AUTH_TYPE="ZCAP", KMS_BASE_URL="https://ops.example",
        KMS_OUTBOUND_ALLOW=f"127.0.0.1:{server.port}," + aws[0].removeprefix("http://"), **aws_settings(aws, tmp_path))
    alice = presenting(authorization.start(), "alice", shares[0])
    # 2. and 3. Her controller's key.
    controller = RemoteKey(alice.create_keystore("did:example:alice").create("ED25519"))
    # 4. and 5. A vault of hers, delegated to a key that the operational server makes for it.
    daemon = operational.start()
    client = daemon.client()
    edv = vault_of(client, server, controller)
    # 6. Her keystore there; only its capability opens it.
    made = client.raw("POST", "/v1/keystores", {"controller": controller.did, "edv": edv}).json()
    capability = json.loads(gzip.decompress(base64.b64decode(made["capability"])))
    keystore = path_of(made["key_store_url"])
    assert client.raw("POST", keystore + "/keys", {"key_type": "ED25519"}).status_code in (400, 401)
    # 8. The keys of her vault operations; the authorization server signs each request.
    owner = Invoker(daemon.base, controller, capability)
    signing = path_of(owner.call("createKey", keystore + "/keys", {"key_type": "ED25519"})["key_url"])
    hashing = path_of(owner.call("createKey", keystore + "/keys", {"key_type": "HMACSHA256Tag256"})["key_url"])
    message = base64.b64encode(b"a request to the vault").decode()
    signature = owner.call("sign", signing + "/sign", {"message": message})["signature"]
    owner.call("verify", signing + "/verify", {"message": message, "signature": signature})
    mac = owner.call("computeMAC", hashing + "/computemac", {"data": message})["mac"]
    ((_, documents),) = server.documents.items()
    assert len(documents) == 2

    # After a restart everything still opens, through AWS, the vault and her signature.
    daemon.terminate()
    daemon = operational.start()
    owner = Invoker(daemon.base, controller, capability)
    owner.call("verifyMAC", hashing + "/verifymac", {"data": message, "mac": mac})
    # Somebody else's key opens nothing, even with the capability.
    stranger = zcap.Key()
    headers = zcap.invoke(stranger, capability, "sign", "POST", signing + "/sign")
    assert requests.post(daemon.base + signing + "/sign", data="{}", headers=headers, timeout=30).status_code == 401
    # Without her share the controller's key signs nothing, so the other server has nobody to obey.
    wrong = presenting(authorization.daemons[-1], "alice", bytes([shares[0][0] ^ 1]) + shares[0][1:])
    answer = wrong.raw("POST", f"/v1/keystores/{controller.key.keystore.id}/keys/{controller.key.id}/sign",
                       {"message": message})
    assert answer.status_code == 403
