import Foundation
import TestSupport

/// Another server, in a process of its own: Python's HTTP server with a few answers. It ends with the value.
final class Peer: Sendable {
    struct NotStarted: Error {}

    let port: Int
    private let process: Process

    /// - Parameter certificate: PEM files of certificate and key; with them, HTTPS is served.
    init(certificate: (String, String)? = nil) throws {
        let folder = try ScratchDirectory.make("peer")
        let announcement = folder.appendingPathComponent("port")
        try Data().write(to: announcement)
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments =
            ["python3", "-c", Self.script] + (certificate.map { [$0.0, $0.1] } ?? [])
        process.standardOutput = try FileHandle(forWritingTo: announcement)
        process.standardError = FileHandle.nullDevice
        try process.run()
        self.process = process
        for _ in 0..<6_000 {
            let text = String(decoding: (try? Data(contentsOf: announcement)) ?? Data(), as: UTF8.self)
            if text.hasSuffix("\n"), let port = Int(text.dropLast()) {
                self.port = port
                return
            }
            guard process.isRunning else { throw NotStarted() }
            usleep(10_000)
        }
        process.terminate()
        throw NotStarted()
    }

    deinit { process.terminate() }

    private static let script = """
        import http.server, ssl, sys, time
        class Peer(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            def answer(self, status, body, *headers):
                self.send_response(status)
                for name, value in headers: self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
            def do_GET(self):
                if self.path == "/redirect": self.answer(302, b"", ("Location", "/ok"))
                elif self.path.startswith("/large/"): self.answer(200, b"x" * int(self.path[7:]))
                elif self.path == "/never": time.sleep(600)
                elif self.path == "/stalls":
                    self.send_response(200); self.send_header("Content-Length", "10"); self.end_headers()
                    self.wfile.write(b"x"); self.wfile.flush(); time.sleep(600)
                elif self.path == "/garbage": self.wfile.write(b"SSH-2.0-peer\\r\\n\\r\\n"); self.close_connection = True
                else: self.answer(200, (self.headers["Host"] + " " + self.path).encode())
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                self.answer(201, body[::-1], ("X-Kind", self.headers["X-Kind"]))
            def log_message(self, *_): pass
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Peer)
        server.daemon_threads = True
        if len(sys.argv) > 2:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(sys.argv[1], sys.argv[2])
            server.socket = context.wrap_socket(server.socket, server_side=True)
        print(server.server_port, flush=True)
        server.serve_forever()
        """

    /// Makes a self-signed certificate for a host name, or for other names, as OpenSSL writes them: paths of certificate
    /// and key.
    static func certificate(for name: String, names: String? = nil) throws -> (String, String) {
        let folder = try ScratchDirectory.make("certificate").path
        try Command.succeed(
            "openssl",
            [
                "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                "-keyout", folder + "/key.pem", "-out", folder + "/cert.pem", "-subj", "/CN=\(name)",
                "-addext", "subjectAltName=\(names ?? "DNS:\(name)")",
            ])
        return (folder + "/cert.pem", folder + "/key.pem")
    }
}
