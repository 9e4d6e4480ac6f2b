"""What callers of the gRPC front may use up: connections, questions, bytes and time, each by himself and all together."""
import socket

import pytest

from daemon import eventually
from decryption_client import KMS, OWN
from decryption_front import CHECK, READERS, REFLECTION, STATUS, WATCH, Front, status_of
from http2 import DATA, PREFACE, Connection, frame, framed, packed
from test_audit import records
from wire import number

MESSAGE = 4 << 20
# Accepted beyond the bound until those are closed that make room for them (DescriptorBudget).
TRANSIENT = 8
DECRYPT = f"/{KMS}/Decrypt"


@pytest.fixture
def front(own):
    fronts, connections = [], []

    def make(**more):
        fronts.append(Front(own, **more))
        return fronts[-1]

    def connect(source="127.0.0.1", **more):
        connections.append(Connection(fronts[-1].port, source, **more))
        return connections[-1]

    make.connect = connect
    yield make
    for connection in connections:
        connection.end()


def rests(f):
    eventually(f.is_at_rest, 60, "everything is given back")
    f.serves()


def test_one_address_has_a_part_of_the_connections_and_all_of_them_leave_room(front):
    """300 connections that say nothing: no more than the bound are open, and a newcomer takes the place of one."""
    f = front(KMS_MAX_CONNECTIONS="64", KMS_REQUEST_TIMEOUT="10m")
    limit = int(f.value("kms_decryption_connections_limit"))
    assert limit == 16
    idle = [front.connect(greet=False) for _ in range(limit // 2)]
    for connection in idle:
        connection.until(lambda: connection.heard, 30, "the first word of the daemon")
    for connection in (front.connect(greet=False) for _ in range(20)):
        connection.over()
    assert f.refused("caller-connections") == 20 and not any(connection.closed for connection in idle)
    # Many addresses: each newcomer finds room, since those who wait longest go.
    files = f.value("kms_open_files")
    for number in range(272):
        front.connect(f"127.0.1.{number % 34 + 1}")
        if number % 34 == 0:
            assert f.value("kms_decryption_connections") <= limit + TRANSIENT
            assert f.value("kms_open_files") <= files + limit + TRANSIENT + READERS
    eventually(lambda: f.value("kms_decryption_connections_closed_for_others_count") >= 8 + 272 - limit - TRANSIENT, 60, "room for all")
    f.serves()


def test_a_connection_that_says_nothing_is_closed(front):
    f = front(KMS_REQUEST_TIMEOUT="3s")
    for words in (b"", PREFACE[:10]):
        connection = front.connect(greet=False)
        connection.send(words)
        connection.over()
    assert f.refused("silent-connection") == 2
    rests(f)


def test_questions_that_arrive_slowly_or_never_are_ended_and_the_connection_goes_on(front):
    f = front(KMS_REQUEST_TIMEOUT="1s")
    connection = front.connect()
    never = connection.open(DECRYPT, framed(b"x", length=1000), end=False)
    only_head = connection.open(STATUS, end=False)
    slow = connection.open(STATUS, framed(b"", length=100), end=False)
    connection.until(lambda: connection.send(frame(DATA, 0, slow, b"x")) and slow in connection.ended
                     or slow in connection.reset, 60, "the end of what trickles")
    connection.until(lambda: {never, only_head, slow} <= connection.ended, 60, "the end of all")
    assert f.refused("slow-body") == 3
    eventually(lambda: f.value("kms_operation_errors_total", operation=f"{KMS}/Decrypt", error="DEADLINE_EXCEEDED") == 1, 60,
               "the end of what is left of it")
    stream = connection.open(STATUS, framed(b""))
    connection.until(lambda: stream in connection.ended, 30, "the answer")
    connection.end()
    rests(f)


def test_an_answer_that_nobody_takes_is_given_up(front):
    """The client's window is nothing and stays so."""
    f = front(KMS_REQUEST_TIMEOUT="1s")
    connection = front.connect(window=0)
    streams = [connection.open(path, framed(b"")) for path in (STATUS, CHECK, STATUS)]
    connection.until(lambda: set(streams) <= set(connection.reset), 60, "the end of all three")
    assert f.refused("slow-reader") == 3
    connection.end()
    rests(f)


def test_a_length_beyond_the_limit_is_refused_before_anything_of_it_arrives(front):
    f = front()
    for number, length in enumerate((MESSAGE + 1, 1 << 31, (1 << 32) - 1)):
        connection = front.connect()
        stream = connection.open(DECRYPT, framed(b"", length=length), end=False)
        connection.until(lambda: stream in connection.ended, 30, "the refusal")
        assert f.refused("message-length") == number + 1
        connection.end()
    eventually(lambda: f.value("kms_operation_errors_total", operation=f"{KMS}/Decrypt", error="RESOURCE_EXHAUSTED") == 3, 60,
               "three refusals")
    # The client is told why.
    node = f.node()
    code, words = node.refused(KMS, "Decrypt", bytes(MESSAGE + 100))
    assert (code, "message-length" in words) == ("RESOURCE_EXHAUSTED", True)
    node.close()
    rests(f)


def test_what_is_packed_counts_as_the_largest_that_may_come_out(front):
    f = front()
    connection = front.connect()
    gzip = ("grpc-encoding", "gzip")
    bomb = connection.open(STATUS, packed(bytes(64 << 20)), more=[gzip])
    garbage = connection.open(STATUS, framed(b"no gzip", compressed=True), more=[gzip])
    unsaid = connection.open(STATUS, framed(b"no gzip", compressed=True))
    other = connection.open(STATUS, framed(b"", compressed=True), more=[("grpc-encoding", "br")])
    for stream in (bomb, garbage, unsaid, other):
        connection.until(lambda: connection.done(stream), 60, "the end of it")
    good = connection.open(STATUS, packed(b""), more=[gzip])
    connection.until(lambda: good in connection.ended, 30, "the answer")
    connection.end()
    rests(f)


def test_bytes_of_questions_under_way_are_bounded_over_all_of_them(front):
    f = front(KMS_REQUEST_TIMEOUT="10m")
    limit = int(f.value("kms_decryption_message_bytes_limit"))
    assert limit == 128 << 20
    body = framed(bytes(MESSAGE))[:-1]
    taken, refused = 0, False
    while not refused:
        connection = front.connect()
        for _ in range(4):
            stream = connection.open(DECRYPT, end=False)
            sent = connection.stream_body(stream, body, end=False)
            refused = refused or sent < len(body)
            taken += sent
        assert taken <= limit, "one address may have half"
    assert f.refused("caller-bytes") >= 1
    held, _ = eventually(lambda: f.value("kms_decryption_message_bytes"), 60, "what is held")
    assert held <= limit // 2
    eventually(lambda: f.value("kms_decryption_message_bytes") >= limit // 2 - MESSAGE - (1 << 20), 60, "most of its half")
    # The other half is for others.
    other = front.connect("127.0.0.9")
    stream = other.open(STATUS, end=False)
    other.stream_body(stream, framed(bytes(MESSAGE - 64)), end=True)
    other.until(lambda: other.done(stream), 60, "an answer to somebody else")
    assert f.refused("bytes") == 0


def test_questions_under_way_are_bounded_over_all_connections(front):
    f = front(KMS_REQUEST_TIMEOUT="10m")
    opened = []
    for _ in range(6):
        connection = front.connect()
        opened += [(connection, connection.open(STATUS, end=False)) for _ in range(100)]
    eventually(lambda: f.refused("caller-streams") == 600 - 512, 60, "the bound of one address")
    other = front.connect("127.0.0.9")
    stream = other.open(STATUS, framed(b""))
    other.until(lambda: stream in other.ended, 30, "an answer to somebody else")
    assert f.refused("streams") == 0


def test_watches_are_bounded(front):
    f = front(KMS_REQUEST_TIMEOUT="10m")
    connection = front.connect()
    for _ in range(40):
        connection.open(WATCH, framed(b""))
    eventually(lambda: f.refused("watches") == 40 - 32, 60, "the bound")
    other = front.connect("127.0.0.9")
    other.open(WATCH, framed(b""))
    stream = other.open(STATUS, framed(b""))
    other.until(lambda: stream in other.ended, 30, "the answer")
    assert f.refused("watches") == 8
    connection.end()
    eventually(lambda: f.value("kms_operations_in_flight") == 1, 60, "the end of the watches")


@pytest.mark.parametrize("path", [STATUS, WATCH, REFLECTION, CHECK, "/no.such/Method"])
def test_a_rate_counts_every_method_before_its_message_is_read(front, path):
    f = front(KMS_DECRYPTION_RATE="1", KMS_REQUEST_TIMEOUT="10m")
    connection = front.connect()
    for _ in range(99):
        connection.open(path, end=False)
    eventually(lambda: f.refused("rate") >= 1, 60, "the bound")
    other = front.connect("127.0.0.9")
    stream = other.open(STATUS, framed(b""))
    other.until(lambda: stream in other.ended, 30, "an answer to somebody else")


def test_the_end_does_not_wait_for_clients_who_stand_still(front):
    f = front(KMS_REQUEST_TIMEOUT="10m")
    still, watching = front.connect(), front.connect("127.0.0.2")
    still.open(DECRYPT, framed(b"x", length=1000), end=False)
    watching.open(WATCH, framed(b""))
    front.connect("127.0.0.3", greet=False)
    eventually(lambda: f.value("kms_operations_in_flight") == 2, 30, "both")
    still.acks = watching.acks = False
    assert f.daemon.terminate() == 0
    assert "took longer" not in f.daemon.log()


def test_few_descriptors_are_shared_out_between_both_fronts(own):
    """More clients than descriptors at both: none is asked for that is not there."""
    f = Front(own, prefix=("prlimit", "--nofile=192:192"))
    limit, web = (int(f.value(name)) for name in ("kms_decryption_connections_limit", "kms_connections_limit"))
    assert 4 <= limit and limit + web < 192
    sockets = []
    for number in range(300):
        for port in (f.port, f.daemon.port):
            one = socket.socket()
            one.bind((f"127.0.2.{number % 100 + 1}", 0))
            one.connect(("127.0.0.1", port))
            sockets.append(one)
    f.serves()
    assert f.daemon.is_running() and f.value("kms_open_files") < 192
    assert f.value("kms_decryption_accept_failures_count") == f.value("kms_accept_failures_count") == 0
    for one in sockets:
        one.close()
    rests(f)
    assert status_of(lambda: f.node().call(OWN, "ListKeys", b"")) == "OK"


def test_refusals_that_repeat_do_not_fill_the_audit_chain(own):
    """As at the other fronts: some of each kind are recorded one by one, and one record tells of the others."""
    f = Front(own)
    node, count = f.node(), 300
    for _ in range(count):
        assert node.refused(OWN, "PublicDecrypt", number(4, 2))[0] == "INVALID_ARGUMENT"
        assert node.refused(KMS, "Decrypt", b"")[0] == "INVALID_ARGUMENT"
    node.close()
    assert f.daemon.terminate() == 0
    told, lines = {}, 0
    for event in (record["event"] for record in records(own) if record.get("event", {}).get("front") == "decryption"):
        assert event["outcome"] == "refused"
        kind, lines = (event["operation"], event["reason"]), lines + 1
        told[kind] = told.get(kind, 0) + int(event["details"].get("count", 1))
    assert sorted(told.values()) == [count, count], told
    assert lines < 100
    assert own.run("audit", "verify", check=False).returncode in (0, 2)
