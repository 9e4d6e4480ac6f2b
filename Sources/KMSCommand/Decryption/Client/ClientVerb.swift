import ArgumentParser
import DecryptionAPI
import DecryptionClient
import Encodings
import Foundation
import Glibc
import InclusionProofs
import KMSConfiguration
import KMSDaemon
import LightClient
import OutboundHTTP
import SecretMemory

/// A verb of a client of the decryption API: it needs no home, no token and no daemon's settings.
protocol ClientVerb: AsyncParsableCommand {
    var output: OutputFormat { get }
    /// Returns the exit code unless it throws.
    func work() async throws -> ExitStatus
}

extension ClientVerb {
    func run() async throws {
        let status: ExitStatus
        do { status = try await work() } catch {
            let failure = CommandFailure(client: error)
            if output == .json { try Terminal.print(json: FailureReport(failure)) }
            Terminal.complain("kmsd: \(failure)")
            throw ExitCode(failure.status.rawValue)
        }
        if status != .ok { throw ExitCode(status.rawValue) }
    }
}

extension CommandFailure {
    /// Gives a client's error its exit code: 2 for an answer that does not hold.
    init(client error: any Error) {
        switch error {
        case let error as ClientError:
            self.init(
                error.code.isExactly("not-marked") ? .permission : .findings, code: error.code, error.message)
        case let error as DecryptionCallError where error.speaker == .files:
            self.init(
                .configuration, code: "tls-files",
                "--tls-cacerts, --tls-cert and --tls-key cannot be used: give a certificate and the key that was made with it, "
                    + "both PEM, the key not encrypted")
        case let error as DecryptionCallError where error.speaker == .tls:
            let reason = OutboundError(tls: error.message)
            let remedy =
                reason.code == .certificateRefused
                ? ". If it is an authority that is missing, name it with --tls-cacerts" : ""
            self.init(.unavailable, code: reason.code.rawValue, "--server: \(reason.message)\(remedy)")
        case let error as OutboundError:
            self.init(
                error.isAboutRights ? .permission : error.code == .configurationRefused ? .configuration : .unavailable,
                code: error.code.rawValue, error.message)
        case let error as DecryptionCallError:
            let status: ExitStatus =
                switch error.status {
                case "UNAVAILABLE", "DEADLINE_EXCEEDED", "RESOURCE_EXHAUSTED": .unavailable
                case "PERMISSION_DENIED", "UNAUTHENTICATED": .permission
                default: .failed
                }
            let words = TerminalEscaping.of(error.message)
            self.init(status, code: "refused", "the server answered \(error.status): \(words)")
        case let error as LightClientError: self.init(.failed, code: error.code.rawValue, "--header: \(error.message)")
        case let error as ProofError: self.init(.failed, code: error.code.rawValue, error.message)
        default: self.init(error)
        }
    }

    static func usage(_ message: String) -> CommandFailure { CommandFailure(.usage, code: "usage", message) }
}

/// What is written once and not over another file.
enum NewFile {
    /// - Parameter mode: 0o600 for what nobody else may read.
    static func write(_ bytes: UnsafeRawBufferPointer, to path: String, mode: mode_t) throws {
        let file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode)
        guard file >= 0 else {
            let reason = errno
            throw CommandFailure(
                .failed, code: "file",
                reason == EEXIST
                    ? "'\(path)' is there already; remove it or name another file"
                    : "'\(path)' cannot be written: \(String(cString: strerror(reason)))")
        }
        defer { close(file) }
        var offset = 0
        while offset < bytes.count {
            let count = Glibc.write(file, bytes.baseAddress.map { $0 + offset }, bytes.count - offset)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else {
                let reason = errno
                unlink(path)
                throw CommandFailure(
                    .failed, code: "file", "'\(path)' cannot be written: \(String(cString: strerror(reason)))")
            }
            offset += count
        }
    }

    static func write(_ bytes: [UInt8], to path: String, mode: mode_t = 0o644) throws {
        try bytes.withUnsafeBytes { try write($0, to: path, mode: mode) }
    }
}

/// Bytes in hexadecimal, with 0x before them or not.
enum HexArgument {
    static func bytes(_ text: String, _ count: Int, _ name: String) throws -> [UInt8] {
        let digits = text.startsExactly(with: "0x") ? String(text.dropFirst(2)) : text
        guard let bytes = Hexadecimal.decode(digits, .either), bytes.count == count else {
            throw CommandFailure.usage("\(name): expected \(count) bytes in hexadecimal, with 0x before them or not")
        }
        return bytes
    }
}

/// Calls a node's RPC, or the switches of a trial chain.
enum NodeCall {
    static func send(_ method: String, _ base: String, _ path: String, option: String) async throws -> OutboundAnswer {
        guard let address = URLComponents(string: base), let host = address.host, !host.isEmpty,
            address.scheme == "http" || address.scheme == "https"
        else { throw CommandFailure.usage("\(option): expected a URL, such as http://127.0.0.1:26657") }
        let port = address.port ?? (address.scheme == "https" ? 443 : 80)
        let trimmed = String(base.reversed().drop { $0 == "/" }.reversed())
        do throws(OutboundError) {
            // The caller names the node: it may be any, on this machine too.
            let client = OutboundClient(
                policy: try OutboundPolicy(allowing: "\(host):\(port)"),
                trust: try OutboundTrust(files: [], system: true),
                timeout: .seconds(20), maximumAnswer: 4 << 20)
            let answer: Result<OutboundAnswer, OutboundError>
            do throws(OutboundError) {
                answer = .success(try await client.send(OutboundRequest(method: method, url: trimmed + path)))
            } catch { answer = .failure(error) }
            await client.shutdown()
            return try answer.get()
        } catch {
            throw CommandFailure(.unavailable, code: error.code.rawValue, "\(option) \(trimmed): \(error.message)")
        }
    }
}
