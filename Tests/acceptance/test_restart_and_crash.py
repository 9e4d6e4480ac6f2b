"""What was acknowledged stays, whatever ends the process."""
import random
import threading
import time

import crypto
import pytest
from daemon import eventually
from requests import RequestException
from webkms_client import ALL_TYPES, KMSError, Key, Keystore


def moved(key, client):
    """The same key through a daemon on another port."""
    return Key(Keystore(client, key.keystore.url), key.url, key.type)


def test_restart_keeps_everything(own):
    daemon = own.start()
    keystore = daemon.client().create_keystore("did:example:persistent")
    keys = {name: keystore.create(name) for name in ALL_TYPES}
    disabled, pending, destroyed = (keystore.create("ED25519") for _ in range(3))
    disabled.disable(), pending.destroy(grace=7200), destroyed.destroy(grace=0)
    signature = keys["ED25519"].sign(b"m")
    sealed = keys["AES256GCM"].encrypt(b"m", b"a")
    mac = keys["HMACSHA256Tag256"].compute_mac(b"m")
    rotated = keys.pop("XChaCha20Poly1305")
    old = rotated.encrypt(b"old")
    rotated = rotated.rotate()
    before = (keystore.metadata(), keystore.keys())
    assert daemon.terminate() == 0

    client = own.start().client()
    again = Keystore(client, keystore.url)
    assert (again.metadata(), again.keys()) == before
    moved(keys["ED25519"], client).verify(signature, b"m")
    assert moved(keys["AES256GCM"], client).decrypt(*sealed, b"a") == b"m"
    moved(keys["HMACSHA256Tag256"], client).verify_mac(mac, b"m")
    assert moved(rotated, client).decrypt(*old) == b"old"
    for key in (disabled, pending, destroyed):
        with pytest.raises(KMSError) as refusal:
            moved(key, client).sign(b"m")
        assert refusal.value.status == 409
    assert moved(disabled, client).enable()["state"] == "enabled"


class Worker(threading.Thread):
    """Changes keys until the daemon dies; remembers what was acknowledged and the one change that was not."""

    def __init__(self, client, seed):
        super().__init__(daemon=True)
        self.client, self.random = client, random.Random(seed)
        self.live, self.gone, self.uncertain = {}, set(), set()
        self.surprises = []

    def run(self):
        try:
            self.keystore = self.client.create_keystore(f"did:example:worker-{self.random.random()}")
        except (RequestException, KMSError):
            self.keystore = None
            return
        while True:
            verb = self.random.choice(["create", "create", "take", "rotate", "destroy", "use"])
            try:
                getattr(self, verb)()
            except RequestException:
                return
            except KMSError as error:
                self.surprises.append(f"{verb}: {error}")
                return

    def pick(self):
        return self.live[self.random.choice(sorted(self.live))] if self.live else None

    def create(self):
        key = self.keystore.create(self.random.choice(["ED25519", "AES256GCM", "ECDSAP256DER"]))
        self.live[key.id] = (key, None if key.type != "AES256GCM" else [])

    def take(self):
        private, name = crypto.make_private("ED25519"), f"imported-{self.random.getrandbits(64):x}"
        self.uncertain.add(name)
        key = self.keystore.import_key(crypto.pkcs8(private), "ED25519", name)
        self.uncertain.discard(name)
        self.live[key.id] = (key, private)

    def rotate(self):
        if picked := self.pick():
            key, secret = picked
            self.uncertain.add(key.id)
            new = key.rotate()
            self.uncertain.discard(key.id)
            del self.live[key.id]
            self.gone.add(key.id)
            self.live[new.id] = (new, None if key.type != "AES256GCM" else secret)

    def destroy(self):
        if len(self.live) > 5 and (picked := self.pick()):
            key, _ = picked
            self.uncertain.add(key.id)
            key.destroy(grace=0)
            self.uncertain.discard(key.id)
            del self.live[key.id]
            self.gone.add(key.id)

    def use(self):
        if picked := self.pick():
            key, secret = picked
            if key.type == "AES256GCM":
                message = self.random.randbytes(20)
                secret.append((message, *key.encrypt(message)))
            else:
                key.sign(b"m")

    def check(self, client):
        """Everything acknowledged works; everything acknowledged as gone does not."""
        assert self.surprises == []
        if self.keystore is None:
            return 0
        again = Keystore(client, self.keystore.url)
        listed = {entry["id"]: entry for entry in again.keys(limit=1000)}
        for name, (key, secret) in self.live.items():
            if name in self.uncertain:
                continue
            assert listed[name]["state"] == "enabled"
            key = moved(key, client)
            if key.type == "AES256GCM":
                for message, ciphertext, nonce in secret:
                    assert key.decrypt(ciphertext, nonce) == message
            else:
                public, _ = key.export()
                crypto.verify(key.type, public, key.sign(b"m"), b"m")
                assert not hasattr(secret, "sign") or public == crypto.public_bytes("ED25519", secret)
        for name in self.gone:
            assert name not in listed or listed[name]["state"] == "destroyed"
        for name, entry in listed.items():
            assert entry["state"] in ("enabled", "destroyed"), entry
            if entry["state"] == "enabled":
                key = moved(again.key(name, entry["type"]), client)
                key.encrypt(b"m") if key.type == "AES256GCM" else key.sign(b"m")
        return len(self.live)


def enough(workers, count):
    """So many keys are there, or nobody makes any more."""
    return sum(len(worker.live) for worker in workers) >= count or not any(worker.is_alive() for worker in workers)


def test_kill_under_load_leaves_old_or_new_state(own):
    """Twelve kills at random moments; after each, what was acknowledged holds and nothing is half there."""
    own.start().terminate()
    objects = own.token.objects()
    workers, moment = [], random.Random(8074)
    for turn in range(12):
        daemon = own.start()
        client = daemon.client()
        for worker in workers[-6:]:
            worker.check(client)
        fresh = [Worker(daemon.client(timeout=10), seed=turn * 10 + number) for number in range(3)]
        for worker in fresh:
            worker.start()
        time.sleep(0.3 + moment.random())
        # A slow machine takes longer to have anything that could be lost.
        eventually(lambda: enough(fresh, 6), 60, "acknowledged keys")
        daemon.kill()
        for worker in fresh:
            worker.join(60)
            assert not worker.is_alive()
        workers += fresh
    daemon = own.start()
    assert sum(worker.check(daemon.client()) for worker in workers) > 50
    assert daemon.terminate() == 0
    assert own.token.objects() == objects, "the kills left objects on the token"
    if own.token.IS_LINTED:
        assert own.run("token", "lint").returncode == 0


def test_kill_during_init_can_be_repeated(bare):
    """A provisioning cut off at any moment is finished by the next one, and leaves no second set of keys."""
    import subprocess

    from daemon import BINARY

    for turn in range(6):
        process = subprocess.Popen([str(BINARY), "init"], env=bare.environment(), stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL)
        time.sleep(0.02 + 0.03 * turn)
        process.kill()
        process.wait()
        bare.token.mend()
    if not (bare.home / "manifest.json").exists():
        bare.run("init")
    daemon = bare.start()
    daemon.client().create_keystore().create("ED25519").sign(b"m")
    daemon.terminate()
    labels = [entry.get("label") for entry in bare.token.objects()]
    private = [entry for entry in bare.token.objects() if not entry["kind"].startswith("Public")]
    # SoftHSM writes an object's file before its attributes: one that a kill left in between has no label, and is
    # nobody's. A TPM's storage primary and NV memory have a handle in the label's place.
    roles = [entry["label"] for entry in private if (entry.get("label") or "").startswith("kmsd/")]
    assert len(roles) == len(set(roles)) == 6, labels
    assert len({label.split("/")[1] for label in roles}) == 1, labels
    assert bare.run("token", "probe").returncode == 0


def test_termination_waits_for_requests(own):
    """SIGTERM under load: exit code 0, and every acknowledged key is there afterwards."""
    daemon = own.start()
    workers = [Worker(daemon.client(timeout=10), seed=number) for number in range(4)]
    for worker in workers:
        worker.start()
    eventually(lambda: enough(workers, 12), 60, "acknowledged keys")
    assert daemon.terminate() == 0
    for worker in workers:
        worker.join(60)
    client = own.start().client()
    assert sum(worker.check(client) for worker in workers) > 4


def test_interrupt_is_a_clean_end(own):
    import signal

    daemon = own.start()
    daemon.process.send_signal(signal.SIGINT)
    assert daemon.wait() == 0


def test_two_daemons_do_not_share_a_home(own):
    own.start()
    assert own.refuses_to_start(codes=(1, 69, 73, 75, 77, 78)).strip()
