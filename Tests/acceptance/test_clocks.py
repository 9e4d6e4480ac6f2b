"""A clock that jumps under the running daemon: what was used stays used, bounds end, and the record of decisions goes on."""
import json
import time

import pytest
import requests
from daemon import eventually
from setclock import Clock
from test_capabilities import BASE, FULL, Guarded, refused
from test_gnap import Client as Wallet
from test_gnap import server, settings  # noqa: F401 - fixtures

DAY = 86_400


@pytest.fixture
def clock(tmp_path):
    return Clock(tmp_path)


@pytest.mark.parametrize("jump", [700, DAY, 400 * DAY])
def test_a_signature_stays_used_while_the_clock_jumps_ahead_and_back(own, clock, jump):
    daemon = own.start(prefix=clock.prefix, KMS_AUTH_TYPE="ZCAP", KMS_ZCAP_STRICT="true", KMS_BASE_URL=BASE)
    victim, stranger = Guarded(daemon), Guarded(daemon)
    data = json.dumps({"message": "aGk="}).encode()

    def signed(tenant, path, ahead=0):
        headers = tenant.wallet.headers(tenant.capability, "sign", covered=FULL, path=path, host=tenant.url.split("//")[1],
                                        body=data, created=int(time.time()) + ahead)
        return lambda: requests.post(tenant.url + path, data=data, headers=headers, timeout=10)

    captured = signed(victim, victim.new_key(strict=True) + "/sign")
    assert captured().status_code == 200
    refused(captured())
    # Whoever may call at all does so while the clock is wrong, more than once.
    for times in (1, 2, 3):
        clock.set(times * jump)
        refused(captured())
        assert signed(stranger, f"{stranger.keystore}/keys/none/sign", times * jump)().status_code == 404
    clock.set(0)
    refused(captured())
    assert signed(victim, f"{victim.keystore}/keys/none/sign")().status_code == 404
    assert daemon.terminate() == 0


def test_a_signature_with_a_token_stays_used_while_the_clock_jumps(own, clock, settings, server):  # noqa: F811
    daemon = own.start(prefix=clock.prefix, **settings)
    victim, stranger = Wallet(daemon, server), Wallet(daemon, server, "bob")
    body = {"controller": "did:example:alice"}
    headers = victim.headers("POST", "/v1/keystores", json.dumps(body).encode())
    assert victim.call("POST", "/v1/keystores", body, headers=headers).status_code == 200
    clock.set(DAY)
    later = stranger.call("POST", "/v1/keystores", {"controller": "did:example:bob"}, created=int(time.time()) + DAY)
    assert later.status_code == 200, later.text
    clock.set(0)
    again = victim.call("POST", "/v1/keystores", body, headers=headers)
    assert again.status_code == 401, again.text
    eventually(lambda: "used before" in daemon.log(), 10, "the reason in the log")


def test_bounds_and_records_outlast_a_clock_that_goes_back(own, clock):
    """Years ahead and years back: nothing is locked for as long, and the record of decisions stays whole."""
    daemon = own.start(prefix=clock.prefix)
    key = daemon.client().create_keystore().create("ED25519")
    for jump in (400 * DAY, -400 * DAY, 30 * DAY, 0):
        clock.set(jump)
        assert daemon.readiness()[0] == 200, f"at {jump} s"
        assert key.sign(b"at this time")
        daemon.client().create_keystore()
    assert daemon.terminate() == 0
    assert own.run("audit", "verify").stdout.rstrip().endswith("ok")
    own.start()
