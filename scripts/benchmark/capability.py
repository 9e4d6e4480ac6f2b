"""A capability's owner: an Ed25519 key, made and used with openssl, and the headers that the Go clients send."""
import base64
import subprocess
import time

ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


class Owner:
    def __init__(self, scratch):
        self.pem = scratch / "owner.pem"
        self._openssl("genpkey", "-algorithm", "ed25519", "-out", str(self.pem))
        public = self._openssl("pkey", "-in", str(self.pem), "-pubout", "-outform", "DER")[-32:]
        fingerprint = "z" + base58(b"\xed\x01" + public)
        self.did = f"did:key:{fingerprint}#{fingerprint}"
        self.capability = None

    def take(self, capability):
        """The capability as the keystore's creation answers it: base64 of gzip."""
        self.capability = base64.urlsafe_b64encode(base64.b64decode(capability)).decode()

    def headers(self, action):
        created = int(time.time())
        text = self.pem.with_name("signed.txt")
        text.write_text(f"(created): {created}")
        signature = self._openssl("pkeyutl", "-sign", "-rawin", "-inkey", str(self.pem), "-in", str(text))
        return {
            "Capability-Invocation": f'zcap capability="{self.capability}",action="{action}"',
            "Signature": f'keyId="{self.did}",algorithm="https://github.com/hyperledger/aries-framework-go/zcaps",'
                         f'created={created},headers="(created)",signature="{base64.b64encode(signature).decode()}"',
        }

    def fresh_signatures(self, binaries, count):
        """As many different `Signature` headers over `(created)`, one for each second of the past."""
        seed = self._openssl("pkey", "-in", str(self.pem), "-outform", "DER")[-32:]
        finished = subprocess.run([str(binaries / "KMSBench"), "capability-signatures", "--count", str(count)],
                                  input=seed, capture_output=True, check=True, timeout=60)
        return finished.stdout.decode().splitlines()

    @staticmethod
    def _openssl(*arguments):
        return subprocess.run(["openssl", *arguments], capture_output=True, check=True, timeout=30).stdout


def base58(data):
    number, text = int.from_bytes(data, "big"), ""
    while number:
        number, digit = divmod(number, 58)
        text = ALPHABET[digit] + text
    return "1" * (len(data) - len(data.lstrip(b"\0"))) + text
