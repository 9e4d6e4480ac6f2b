"""A daemon whose decryption API is on, without a chain: enough for whoever asks about bounds."""
import re

import grpc
import requests

from daemon import eventually, free_port
from decryption_client import OWN, Node

STATUS, WATCH = f"/{OWN}/GetStatus", "/grpc.health.v1.Health/Watch"
CHECK, REFLECTION = "/grpc.health.v1.Health/Check", "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo"
# Descriptors of the database's readers, four with a file and its log each, which open when they are first wanted at once.
READERS = 8
SETTINGS = {
    "KMS_DECRYPTION_HOST": "127.0.0.1:0", "KMS_DECRYPTION_CHAIN_ID": "kmsd-test-1",
    "KMS_DECRYPTION_ACL_CONTRACT": "0x" + "11" * 20, "KMS_DECRYPTION_RPC": "http://127.0.0.1:1",
    "KMS_DECRYPTION_WITNESSES": "http://127.0.0.1:2", "KMS_DECRYPTION_TRUST": "1:" + "22" * 32,
    "KMS_DECRYPTION_POLL": "100ms", "KMS_OUTBOUND_ALLOW": "127.0.0.1"}


class Front:
    def __init__(self, installation, credentials=None, **more):
        self.installation, self.credentials = installation, credentials
        self.metrics = f"127.0.0.1:{free_port()}"
        self.daemon = installation.start(**{**SETTINGS, "KMS_METRICS_HOST": self.metrics, **more})
        found, _ = eventually(lambda: re.search(r"port=(\d+) .*decryption API listens", self.daemon.log()), 60, "the API")
        self.port = int(found[1])

    def node(self):
        """Another client, of another make."""
        return Node(f"127.0.0.1:{self.port}", self.credentials)

    def serves(self, seconds=60):
        node = self.node()
        try:
            assert node.call(OWN, "GetStatus", b"", timeout=seconds, wait_for_ready=True)
        finally:
            node.close()

    def refused(self, reason):
        return self.value("kms_decryption_refusals_total", reason=reason)

    def value(self, name, **labels):
        """0 for what is not on the page."""
        # `le` comes last.
        shown = sorted(labels.items(), key=lambda label: (label[0] == "le", label))
        wanted = name + ("{%s}" % ",".join(f'{k}="{v}"' for k, v in shown) if labels else "")
        for line in self.page().splitlines():
            if line.startswith(wanted + " "):
                return float(line.split(" ")[1])
        return 0

    def page(self):
        return requests.get(f"http://{self.metrics}/metrics", timeout=30).text

    @property
    def memory(self):
        """Bytes of the process that are in memory."""
        with open(f"/proc/{self.daemon.pid}/status") as status:
            return int(re.search(r"VmRSS:\s+(\d+) kB", status.read())[1]) << 10

    def is_at_rest(self):
        return all(self.value(name) == 0 for name in (
            "kms_operations_in_flight", "kms_decryption_message_bytes", "kms_decryption_connections"))


def status_of(call):
    """The name of a call's status."""
    try:
        call()
        return "OK"
    except grpc.RpcError as error:
        return error.code().name
