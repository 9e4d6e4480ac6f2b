#!/usr/bin/env bash
# grpcio 1.85.3 tells the server a later deadline than its own, grpclib 0.4.9 an earlier one.
#
# Expected: the time that is left, exactly or rounded down, since what a server does after the client has gone is
# lost.
#
# Seen 2026-11-29, both on loopback before a server that only reads headers: 12.75 s is "12800m" from grpcio and "12S"
# from grpclib, 101 s "102S" and "100S", 100000 s "1670M" (100,200 s). A server that commits just before the deadline
# it was told can commit what its client has reported as failed.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check grpcio==1.85.3 grpclib==0.4.9
venv/bin/python - <<'PYTHON'
import asyncio, socket, threading
import grpc, h2.config, h2.connection, h2.events
from grpclib.client import Channel, UnaryUnaryMethod
from grpclib.encoding.base import CodecBase

told = []


def serve(listener):
    """Answers every call with an empty answer and keeps its grpc-timeout."""
    for _ in range(2):
        connection, _ = listener.accept()
        connection.settimeout(10)
        http = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False, header_encoding="utf-8"))
        http.initiate_connection()
        connection.sendall(http.data_to_send())
        while data := connection.recv(65536):
            for event in http.receive_data(data):
                if isinstance(event, h2.events.RequestReceived):
                    told.append(dict(event.headers)["grpc-timeout"])
                if isinstance(event, h2.events.StreamEnded):
                    answer = [(":status", "200"), ("content-type", "application/grpc"), ("grpc-status", "0")]
                    http.send_headers(event.stream_id, answer, end_stream=True)
            connection.sendall(http.data_to_send())


class Bytes(CodecBase):
    __content_subtype__ = "proto"

    def encode(self, message, kind):
        return message

    def decode(self, data, kind):
        return data


def seconds(text):
    return int(text[:-1]) * {"u": 1e-6, "m": 1e-3, "S": 1, "M": 60, "H": 3600}[text[-1]]


asked = (12.75, 101, 3605, 100000)
listener = socket.create_server(("127.0.0.1", 0))
port = listener.getsockname()[1]
threading.Thread(target=serve, args=(listener,), daemon=True).start()
with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
    for timeout in asked:
        try:
            channel.unary_unary("/a.B/C")(b"", timeout=timeout)
        except grpc.RpcError:
            pass  # the answer is empty on purpose
later = list(told)


async def other():
    channel = Channel("127.0.0.1", port, codec=Bytes())
    for timeout in asked:
        try:
            await UnaryUnaryMethod(channel, "/a.B/C", bytes, bytes)(b"", timeout=timeout)
        except Exception:
            pass
    channel.close()


asyncio.run(other())
earlier = told[len(later):]
for row in zip(asked, later, earlier):
    print("asked %s s, grpcio %s, grpclib %s" % row)
assert all(seconds(text) > timeout for text, timeout in zip(later, asked)), later
assert all(seconds(text) < timeout for text, timeout in zip(earlier, asked)), earlier
assert len(later) == len(earlier) == len(asked)
PYTHON
