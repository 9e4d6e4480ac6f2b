"""What is measured of the gRPC front."""
from daemon import eventually, free_port
from decryption_client import KMS, OWN, Ask, Wallet
from decryption_front import CHECK, WATCH, Front
from http2 import Connection, framed
from test_decryption import U8_04, vector, world  # noqa: F401

BOUNDS = ["5", "10", "25", "50", "100", "250", "500", "1000", "2500", "5000", "10000", "+Inf"]


def test_questions_are_counted_by_method_and_status(own):
    f = Front(own)
    node = f.node()
    for _ in range(3):
        assert node.call(OWN, "ListKeys", b"") == b""
    for _ in range(2):
        assert node.refused(OWN, "GetKey", b"\x0a\x03abc")[0] == "NOT_FOUND"
    for number in range(5):
        assert node.refused(f"no.such{number}", "Method", b"")[0] == "UNIMPLEMENTED"
    eventually(lambda: f.value("kms_operations_in_flight") == 0, 60, "the end of all")
    assert f.value("kms_operations_total", operation=f"{OWN}/ListKeys") == 3
    assert f.value("kms_operations_total", operation=f"{OWN}/GetKey") == 2
    assert f.value("kms_operation_errors_total", operation=f"{OWN}/GetKey", error="NOT_FOUND") == 2
    assert f.value("kms_operation_errors_total", operation=f"{OWN}/ListKeys", error="NOT_FOUND") == 0
    # What a caller writes makes no series.
    assert f.value("kms_operation_errors_total", operation="other", error="UNIMPLEMENTED") == 5
    assert "no.such" not in f.page()
    buckets = [f.value("kms_operation_duration_ms_bucket", operation=f"{OWN}/ListKeys", le=bound) for bound in BOUNDS]
    assert buckets == sorted(buckets) and buckets[-1] == f.value("kms_operation_duration_ms_count", operation=f"{OWN}/ListKeys") == 3
    assert 0 < f.value("kms_operation_duration_ms_sum", operation=f"{OWN}/ListKeys") < 600_000
    assert f.value("kms_decryption_connections") == 1
    node.close()
    eventually(f.is_at_rest, 60, "the end of the connection")


def test_what_is_under_way_and_what_is_left_is_counted(own):
    f = Front(own)
    connection = Connection(f.port)
    connection.open(WATCH, framed(b""))
    connection.open(f"/{KMS}/Decrypt", framed(b"xyz", length=1000), end=False)
    eventually(lambda: f.value("kms_operations_in_flight") == 2, 60, "two questions")
    eventually(lambda: f.value("kms_decryption_message_bytes") == 5 + 5 + 3, 60, "their bytes")
    connection.end()
    eventually(f.is_at_rest, 60, "the end of both")
    for operation in (WATCH[1:], f"{KMS}/Decrypt"):
        assert f.value("kms_operation_errors_total", operation=operation, error="CANCELLED") == 1
    assert f.value("kms_operations_total", operation=CHECK[1:]) == 0


def test_the_light_client_shows_its_height_and_its_failures(world):  # noqa: F811
    metrics = f"127.0.0.1:{free_port()}"
    w = world(KMS_METRICS_HOST=metrics)
    f = Front.__new__(Front)
    f.metrics = metrics
    eventually(lambda: f.value("kms_decryption_verified_height") == w.chain.height, 60, "the head")
    ciphertext = vector(U8_04)
    height, proof = w.mark(ciphertext)
    eventually(lambda: f.value("kms_decryption_verified_height") == height, 60, "the new head")
    ask = Ask("GA", Wallet(), ciphertext, 1, height, proof)
    assert ask.check_decryption(w.node.call(KMS, "Decrypt", ask.bytes), w.server) == 42
    eventually(lambda: f.value("kms_operations_total", operation=f"{KMS}/Decrypt") == 1, 60, "the count")
    w.primary.end()
    eventually(lambda: f.value("kms_decryption_light_client_failures_total", reason="chain-unavailable") >= 2, 60, "failures")
    assert f.value("kms_decryption_verified_height") == height
