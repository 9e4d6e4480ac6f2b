"""HTTP/2 frames that no client sends, many of them: the connection ends, everybody else is served, and nothing stays behind."""
import struct

import pytest

from daemon import Installation, eventually
from decryption_front import CHECK, READERS, STATUS, Front
from http2 import (ACK, CONTINUATION, DATA, END_HEADERS, GOAWAY, HEADERS, PING, PREFACE, PRIORITY, PUSH_PROMISE, RST_STREAM, SETTINGS,
                   WINDOW_UPDATE, Connection, frame, framed, literal, question)

COUNT = 20_000


@pytest.fixture(scope="module")
def flooded(tmp_path_factory):
    installation = Installation(tmp_path_factory.mktemp("flooded") / "home").init()
    try:
        yield Front(installation, KMS_REQUEST_TIMEOUT="5s")
    finally:
        installation.end()


@pytest.fixture
def f(flooded):
    """After each flood everything is as before."""
    flooded.serves()
    eventually(flooded.is_at_rest, 60, "rest before the flood")
    files, memory = flooded.value("kms_open_files"), flooded.memory
    yield flooded
    assert flooded.daemon.is_running(), flooded.daemon.log()
    flooded.serves()
    eventually(flooded.is_at_rest, 60, "rest after the flood")
    eventually(lambda: flooded.value("kms_open_files") <= files + READERS + 2, 60, "the descriptors")
    assert flooded.memory < memory + (64 << 20)


def flood(front, frames, count=COUNT, source="127.0.0.1", batch=100):
    """Sends until the other side closes, which it must."""
    connection = Connection(front.port, source)
    sent = 0
    while sent < count and connection.send(b"".join(frames(number) for number in range(sent, sent + batch))):
        sent += batch
    connection.over()
    connection.end()


def reset(number):
    stream = 2 * number + 1
    return frame(HEADERS, END_HEADERS, stream, question(STATUS)) + frame(RST_STREAM, 0, stream, struct.pack(">I", 8))


def answered_and_reset(number):
    stream = 2 * number + 1
    return (frame(HEADERS, END_HEADERS, stream, question(CHECK)) + frame(DATA, 1, stream, framed(b""))
            + frame(RST_STREAM, 0, stream, struct.pack(">I", 8)))


def own_errors(number):
    """Each stream makes the server reset it: a window that overflows."""
    stream = 2 * number + 1
    return frame(HEADERS, END_HEADERS, stream, question(STATUS)) + frame(WINDOW_UPDATE, 0, stream, struct.pack(">I", 0x7FFFFFFF))


@pytest.mark.parametrize("frames", [
    reset, answered_and_reset, own_errors,
    lambda number: frame(SETTINGS, 0, 0, struct.pack(">HI", 3, number)),
    lambda number: frame(SETTINGS, 0, 0),
    lambda number: frame(PING, 0, 0, struct.pack(">Q", number)),
    lambda number: frame(PRIORITY, 0, 1, b"\0\0\0\0\1"),
], ids=["rapid reset", "reset behind the question", "errors", "settings", "empty settings", "pings", "priorities"])
def test_a_flood_ends_its_connection_and_nobody_else_notices(f, frames):
    beside = f.node()
    flood(f, frames)
    assert beside.call("kmsd.decryption.v1.Decryption", "GetStatus", b"", timeout=60)
    beside.close()


@pytest.mark.parametrize("part", [b"", b"\0\1a\1b" * 200], ids=["empty", "full"])
def test_headers_without_an_end_are_given_up(f, part):
    first = frame(HEADERS, 0, 1, question(STATUS))
    flood(f, lambda number: (first if number == 0 else b"") + frame(CONTINUATION, 0, 1, part))


def test_empty_frames_of_data_are_given_up(f):
    first = frame(HEADERS, END_HEADERS, 1, question(STATUS))
    flood(f, lambda number: (first if number == 0 else b"") + frame(DATA, 0, 1))


@pytest.mark.parametrize("block", [
    question(STATUS, ("x", b"a" * 15_000), ("y", b"b" * 15_000)),
    question(STATUS, *((f"x-{number}", b"") for number in range(800))),
    # One long header put into the table, then named again and again: a few bytes that become many.
    question(STATUS) + literal("x", b"a" * 4000, first=0x40) + b"\xbe" * 10_000,
], ids=["long", "many", "a bomb"])
def test_headers_beyond_the_limit_are_refused(f, block):
    connection = Connection(f.port)
    parts = [block[at:at + 16_000] for at in range(0, len(block), 16_000)]
    data = b"".join(frame(HEADERS if place == 0 else CONTINUATION, END_HEADERS if place == len(parts) - 1 else 0, 1, part)
                    for place, part in enumerate(parts))
    connection.send(data + frame(DATA, 1, 1, framed(b"")))
    eventually(lambda: connection.pump(0.05) or connection.closed or 1 in connection.reset, 60, "the refusal", pause=0)
    connection.end()


@pytest.mark.parametrize("garbage", [
    b"GET / HTTP/1.1\r\nHost: kmsd\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(64), bytes(4096),
    PREFACE + frame(DATA, 0, 1, b"before anything"), PREFACE + frame(SETTINGS, 0, 1),
    PREFACE + frame(SETTINGS, ACK, 0, b"12345"), PREFACE + frame(SETTINGS, 0, 0) + frame(PUSH_PROMISE, 4, 1, bytes(64)),
    PREFACE + frame(SETTINGS, 0, 0) + frame(HEADERS, END_HEADERS, 2, question(STATUS)),
    PREFACE + frame(SETTINGS, 0, 0) + frame(HEADERS, END_HEADERS, 1, b"\xff" * 32),
    PREFACE + frame(SETTINGS, 0, 0) + b"\xff\xff\xff" + bytes(6),
    PREFACE + frame(SETTINGS, 0, 0) + frame(WINDOW_UPDATE, 0, 0, bytes(4)),
    PREFACE + frame(SETTINGS, 0, 0) + frame(CONTINUATION, 0, 1, b""),
], ids=range(12))
def test_what_is_not_http2_is_closed(f, garbage):
    connection = Connection(f.port, greet=False)
    connection.send(garbage)
    connection.over()
    connection.end()


def test_unknown_frames_and_a_goodbye_harm_nothing(f):
    connection = Connection(f.port)
    connection.send(b"".join(frame(kind, 255, 0, bytes(100)) for kind in range(0x20, 0x40)))
    stream = connection.open(STATUS, framed(b""))
    connection.until(lambda: stream in connection.ended, 30, "the answer")
    connection.send(frame(GOAWAY, 0, 0, bytes(8)))
    connection.end()


def test_questions_that_are_left_at_once_leave_nothing(f):
    """Connections that go in the middle of a question, or of an answer."""
    for number in range(60):
        connection = Connection(f.port, f"127.0.3.{number % 20 + 1}")
        for _ in range(10):
            connection.open(STATUS, framed(b"", length=50 if number % 2 else 0), end=not number % 2)
        connection.end()
