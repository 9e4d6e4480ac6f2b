"""HTTP/2 by hand, so that a test can send what no library would. Headers are written as literals and never decoded: what came
of a question is told by the daemon's metrics, or by a client of another make beside it."""
import gzip
import socket
import struct
import time

DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = range(10)
END_STREAM, ACK, END_HEADERS = 1, 1, 4
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
INITIAL_WINDOW = 4


def frame(kind, flags, stream, payload=b""):
    return len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload


def integer(value, bits, first=0):
    """An integer of HPACK behind `first`, the bits before it."""
    most = (1 << bits) - 1
    if value < most:
        return bytes([first | value])
    out, value = bytearray([first | most]), value - most
    while value >= 128:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes(out) + bytes([value])


def literal(name, value, first=0x00):
    """A header without index; `first` = 0x40 puts it into the peer's table."""
    name, value = name.encode(), value if isinstance(value, bytes) else value.encode()
    return bytes([first]) + integer(len(name), 7) + name + integer(len(value), 7) + value


def question(path, *more):
    parts = [(":method", "POST"), (":scheme", "http"), (":path", path), (":authority", "kmsd"),
             ("content-type", "application/grpc"), ("te", "trailers"), *more]
    return b"".join(literal(name, value) for name, value in parts)


def framed(message, compressed=False, length=None):
    """A message in gRPC's framing."""
    return bytes([compressed]) + struct.pack(">I", len(message) if length is None else length) + message


def packed(message):
    return framed(gzip.compress(message), compressed=True)


class Connection:
    """One connection; whatever is closed by the other side shows in `closed`."""

    def __init__(self, port, source="127.0.0.1", window=None, greet=True, wrap=None, seconds=30):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=seconds, source_address=(source, 0))
        if wrap:
            self.socket = wrap(self.socket)
        self.buffer, self.closed, self.next, self.acks = b"", False, 1, True
        self.outgoing, self.sending = bytearray(), False
        self.ended, self.reset, self.windows = set(), {}, {}
        # Of a stream, before the other side says otherwise.
        self.first = 65535
        self.goaway, self.heard = None, False
        if greet:
            settings = b"" if window is None else struct.pack(">HI", INITIAL_WINDOW, window)
            self.send(PREFACE + frame(SETTINGS, 0, 0, settings))

    def send(self, data):
        """True unless the other side has closed; what it has said meanwhile is read, so that neither waits for the other."""
        self.outgoing += data
        if self.sending:
            return not self.closed
        self.sending = True
        try:
            while self.outgoing and not self.closed:
                count = self.socket.send(self.outgoing[:1 << 16])
                del self.outgoing[:count]
                self.pump(0)
        except OSError:
            self.closed = True
        finally:
            self.sending = False
        return not self.closed

    def open(self, path, body=None, end=True, more=(), window=False):
        """Begins a question; its body follows at once."""
        stream, self.next = self.next, self.next + 2
        head = frame(HEADERS, END_HEADERS | (END_STREAM if body is None and end else 0), stream, question(path, *more))
        self.send(head + (b"" if body is None else self.body(stream, body, end)))
        return stream

    @staticmethod
    def body(stream, body, end=True):
        parts = [body[at:at + 16384] for at in range(0, len(body), 16384)] or [b""]
        return b"".join(frame(DATA, END_STREAM if end and place == len(parts) - 1 else 0, stream, part)
                        for place, part in enumerate(parts))

    def stream_body(self, stream, body, end, seconds=60):
        """A body longer than the window, as far as the other side takes it."""
        start, at = time.monotonic(), 0
        while at < len(body) and not self.closed and stream not in self.ended and stream not in self.reset:
            room = min(16384, len(body) - at, self.first + self.windows.get(stream, 0), 65535 + self.windows.get(0, 0))
            if room <= 0:
                assert time.monotonic() - start < seconds, "the window stayed shut"
                self.pump(0.05)
                continue
            last = at + room == len(body)
            self.send(frame(DATA, END_STREAM if end and last else 0, stream, body[at:at + room]))
            at += room
            for number in (stream, 0):
                self.windows[number] = self.windows.get(number, 0) - room
        return at

    def pump(self, seconds):
        """Reads what is there, or comes within `seconds`."""
        self.socket.settimeout(seconds or 0.000001)
        try:
            while True:
                data = self.socket.recv(1 << 16)
                if not data:
                    self.closed = True
                    return
                self.buffer += data
                self.heard = True
                self._frames()
                self.socket.settimeout(0.000001)
        except (TimeoutError, BlockingIOError):
            pass
        except OSError:
            self.closed = True
        finally:
            try:
                self.socket.settimeout(30)
            except OSError:
                self.closed = True

    def _frames(self):
        while len(self.buffer) >= 9:
            length = int.from_bytes(self.buffer[:3], "big")
            if len(self.buffer) < 9 + length:
                return
            kind, flags = self.buffer[3], self.buffer[4]
            stream = int.from_bytes(self.buffer[5:9], "big") & 0x7FFFFFFF
            payload, self.buffer = self.buffer[9:9 + length], self.buffer[9 + length:]
            if kind in (HEADERS, DATA) and flags & END_STREAM:
                self.ended.add(stream)
            elif kind == RST_STREAM:
                self.reset[stream] = int.from_bytes(payload, "big")
            elif kind == GOAWAY:
                self.goaway = int.from_bytes(payload[4:8], "big")
            elif kind == WINDOW_UPDATE:
                self.windows[stream] = self.windows.get(stream, 0) + int.from_bytes(payload, "big")
            if kind == SETTINGS and not flags & ACK:
                for at in range(0, length, 6):
                    if int.from_bytes(payload[at:at + 2], "big") == INITIAL_WINDOW:
                        self.first = int.from_bytes(payload[at + 2:at + 6], "big")
            if self.acks and kind in (SETTINGS, PING) and not flags & ACK:
                self.send(frame(kind, ACK, 0, payload if kind == PING else b""))

    def until(self, condition, seconds, what):
        start = time.monotonic()
        while not condition():
            assert time.monotonic() - start < seconds, f"{what} did not happen within {seconds} s"
            assert not self.closed, f"the connection was closed before {what}"
            self.pump(0.05)

    def over(self, seconds=60):
        """Waits for the other side to close."""
        start = time.monotonic()
        while not self.closed:
            assert time.monotonic() - start < seconds, f"the connection was not closed within {seconds} s"
            self.pump(0.1)

    def done(self, stream):
        return stream in self.ended or stream in self.reset

    def end(self):
        self.socket.close()
