import Foundation
import Glibc
import TestSupport

/// A process that answers on a socket as no TPM does, or stands between us and one.
final class Impostor {
    enum Manner: String, CaseIterable {
        case silence, hangUp, random, hugeLength, shortLength, wrongTag, cut, drip, failure, endless
        /// Passes everything on to a real TPM, and changes a bit of every fifth answer.
        case flipBits
    }

    let socket: String
    private let process = Process()

    init(_ manner: Manner, before tpm: SoftTPM) throws {
        socket = tpm.socket + "." + manner.rawValue
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["python3", "-c", Self.program, socket, manner.rawValue, tpm.socket]
        try process.run()
        for _ in 0..<12_000 where !FileManager.default.fileExists(atPath: socket + ".ready") {
            Thread.sleep(forTimeInterval: 0.01)
        }
    }

    func end() { if process.isRunning { Glibc.kill(process.processIdentifier, SIGKILL) } }

    private static let program = """
        import os, random, socket, struct, sys, time
        path, manner, real = sys.argv[1:]
        parent = os.getppid()
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(path)
        listener.listen(8)
        listener.settimeout(1)
        open(path + ".ready", "w").close()
        random.seed(7)
        count = 0

        def exactly(peer, wanted):
            data = b""
            while len(data) < wanted:
                more = peer.recv(wanted - len(data))
                if not more:
                    raise OSError
                data += more
            return data

        def message(peer):
            head = exactly(peer, 10)
            return head + exactly(peer, struct.unpack(">I", head[2:6])[0] - 10)

        def answer(command):
            global count
            count += 1
            if manner == "silence": time.sleep(30)
            if manner == "hangUp": raise OSError
            if manner == "random": return os.urandom(64)
            if manner == "hugeLength": return struct.pack(">HII", 0x8001, 0xffffffff, 0) + b"x" * 5000
            if manner == "shortLength": return struct.pack(">HII", 0x8001, 3, 0)
            if manner == "wrongTag": return struct.pack(">HII", 0x1234, 10, 0)
            if manner == "cut": return struct.pack(">HII", 0x8001, 100, 0) + b"x"
            if manner == "endless": return struct.pack(">HII", 0x8001, 4096, 0)
            if manner == "failure": return struct.pack(">HII", 0x8001, 10, 0x101)
            if manner == "drip": time.sleep(0.3); return b"\\x80"
            with socket.socket(socket.AF_UNIX) as tpm:
                tpm.connect(real)
                tpm.sendall(command)
                reply = bytearray(message(tpm))
            if count % 5 == 0:
                reply[random.randrange(len(reply))] ^= 1 << random.randrange(8)
            return bytes(reply)

        while os.getppid() == parent:
            try:
                peer, _ = listener.accept()
            except TimeoutError:
                continue
            peer.settimeout(5)
            try:
                while True:
                    peer.sendall(answer(message(peer)))
                    while manner == "endless": peer.sendall(b"\\xff" * 4096)
                    if manner == "cut": raise OSError
            except OSError:
                peer.close()
        """
}
