"""An encrypted data vault server for tests, as a process of its own: `edv_server.py PORT`.

It keeps documents in memory and answers a document's call only if the request is signed by the invoker of a capability
that goes back to the vault's root. It can read nothing of what it keeps. Everything below /test is for the tests: looking at
documents, exchanging them, and failing on purpose.
"""
import json
import os
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import zcap

PREFIX = "/encrypted-data-vaults"


class Vaults:
    def __init__(self):
        self.lock = threading.Lock()
        self.key = zcap.Key()
        self.roots, self.documents, self.calls, self.mode = {}, {}, [], {}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    vaults = Vaults()

    def log_message(self, *_):
        pass

    def reply(self, status, body=None, headers=()):
        data = b"" if body is None else json.dumps(body).encode()
        self.send_response(status)
        for name, value in [*headers, ("Content-Length", str(len(data)))]:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def handle_any(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path.startswith("/test"):
            return self.test(body)
        with self.vaults.lock:
            mode = dict(self.vaults.mode)
            self.vaults.calls.append([self.command, self.path])
        if mode.get("delay"):
            time.sleep(mode["delay"])
        if mode.get("status"):
            return self.reply(mode["status"], {"message": "on purpose"}, [("Location", "http://127.0.0.1:1/")])
        if mode.get("body") is not None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(mode["body"]) * mode.get("times", 1)))
            self.end_headers()
            return self.wfile.write(mode["body"].encode() * mode.get("times", 1))
        return self.serve(body)

    do_GET = do_POST = do_DELETE = do_PUT = handle_any

    def serve(self, body):
        parts = self.path.removeprefix(PREFIX).strip("/").split("/")
        if not self.path.startswith(PREFIX) or len(parts) > 3:
            return self.reply(404)
        if self.command == "POST" and parts == [""]:
            return self.make_vault(json.loads(body))
        root = self.vaults.roots.get(parts[0])
        if root is None or parts[1:2] != ["documents"]:
            return self.reply(404, {"message": "no such vault"})
        headers = {name.lower(): value for name, value in self.headers.items()}
        try:
            covered = zcap.verify_invocation(
                self.command, self.path, headers, body, root, "read" if self.command == "GET" else "write")
            needed = {"(created)", "(request-target)", "capability-invocation"} | ({"digest"} if body else set())
            if not needed <= set(covered):
                raise zcap.Refused("too little is signed")
        except (zcap.Refused, KeyError, ValueError) as error:
            return self.reply(401, {"message": f"unauthorized: {error}"})
        with self.vaults.lock:
            return self.document(self.vaults.documents[parts[0]], parts[2] if len(parts) == 3 else None, body)

    def make_vault(self, request):
        vault = zcap.base58(os.urandom(16))
        root = zcap.issue(self.vaults.key, vault, request["controller"])
        self.vaults.roots[vault], self.vaults.documents[vault] = root, {}
        host = self.headers["Host"]
        self.reply(201, root, [("Location", f"http://{host}{PREFIX}/{vault}")])

    def document(self, documents, name, body):
        if self.command == "GET" and name:
            return self.reply(200, documents[name]) if name in documents else self.reply(404, {"message": "none"})
        if self.command == "DELETE" and name:
            return self.reply(200 if documents.pop(name, None) else 404)
        if self.command == "POST":
            document = json.loads(body)
            if set(document) != {"id", "sequence", "indexed", "jwe"}:
                return self.reply(400)
            if name is None:
                if document["id"] in documents:
                    return self.reply(409)
                documents[document["id"]] = document
                return self.reply(201, None, [("Location", f"{self.path}/{document['id']}")])
            if name not in documents or document["id"] != name:
                return self.reply(404)
            documents[name] = document
            return self.reply(204)
        return self.reply(405)

    def test(self, body):
        state = self.vaults
        with state.lock:
            if self.path == "/test/mode":
                state.mode = json.loads(body)
            elif self.path == "/test/documents" and self.command == "PUT":
                state.documents.update(json.loads(body))
            elif self.path == "/test/calls":
                calls, state.calls = state.calls, []
                return self.reply(200, calls)
            return self.reply(200, state.documents)


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler)
    server.daemon_threads = True
    server.serve_forever()
