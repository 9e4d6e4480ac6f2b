public import Foundation
import Glibc
public import HSMBridge
import TestSupport
import Token

/// tpm2-pkcs11, a PKCS #11 module that is not ours, over a TPM of its own: swtpm, tpm2-abrmd before it as the resource
/// manager that the module needs, and the message bus that tpm2-abrmd listens on.
///
/// The module reads its environment once, when it is loaded, so a process makes one of these at most.
public final class ForeignTPMModule: Sendable {
    public let label = "foreign"
    public let pinFile: URL
    public let modulePath: String
    private let tpm: SoftTPM
    private let folder: URL
    private let bus: LeashedProcess
    private let manager: LeashedProcess

    /// Starts everything and makes one empty token.
    public init() throws {
        modulePath = try Self.path()
        tpm = try SoftTPM()
        folder = tpm.state.deletingLastPathComponent()
        let socket = folder.path + "/bus"
        let address = "unix:path=\(socket)"
        let store = folder.appendingPathComponent("store")
        try FileManager.default.createDirectory(
            at: store, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
        pinFile = tpm.pinFile
        let pin = "a1b2c3d4e5f60718293a4b5c6d7e8f90"
        try tpm.writePIN(pin)
        let environment = [
            "DBUS_SESSION_BUS_ADDRESS": address, "TPM2_PKCS11_STORE": store.path, "TSS2_LOG": "all+NONE",
            "TPM2_PKCS11_TCTI": "tabrmd:bus_type=session", "TPM2TOOLS_TCTI": "tabrmd:bus_type=session",
        ]
        for (name, value) in environment { setenv(name, value, 1) }
        bus = try LeashedProcess(["dbus-daemon", "--session", "--nofork", "--nosyslog", "--address=\(address)"])
        try Self.wait("dbus-daemon, from the package of that name,") {
            UnixSocket.isListening(at: socket)
        }
        manager = try LeashedProcess(
            ["tpm2-abrmd", "--session", "--allow-root", "--logger=stdout", "--tcti=swtpm:path=\(tpm.socket)"],
            environment: environment)
        try Self.wait("tpm2-abrmd, from the package of that name, with libtss2-tcti-tabrmd0,") {
            try Command.run("tpm2_getcap", ["properties-fixed"], environment: environment).status == 0
        }
        let folderOption = ["--path", store.path]
        try Command.succeed("tpm2_ptool", ["init"] + folderOption, environment: environment)
        // PINs on a command line: a throw-away token.
        try Command.succeed(
            "tpm2_ptool",
            ["addtoken", "--pid", "1", "--label", label, "--userpin", pin, "--sopin", pin] + folderOption,
            environment: environment)
    }

    /// How a test reaches the token.
    public func configuration() -> TokenConfiguration {
        TokenConfiguration(
            uri: TokenURI(token: label, modulePath: modulePath, pinSource: "file:\(pinFile.path)"),
            pinSource: .file(pinFile.path), cryptoSessions: 2, callTimeout: .seconds(30), manifest: nil,
            healthInterval: .seconds(1), reconnectCeiling: .milliseconds(500))
    }

    /// What another PKCS #11 program sees on the token, one line per fact.
    public func objects() throws -> String {
        try Command.succeed(
            "pkcs11-tool",
            [
                "--module", modulePath, "--token-label", label, "--login", "--pin",
                String(contentsOf: pinFile, encoding: .utf8), "--list-objects",
            ]
        ).text
    }

    private static func wait(_ what: String, _ condition: () throws -> Bool) throws {
        for _ in 0..<1_200 {
            if try condition() { return }
            Thread.sleep(forTimeInterval: 0.1)
        }
        throw Command.Failure(description: "\(what) did not start")
    }

    private static func path() throws -> String {
        let places = ["x86_64", "aarch64"].map { "/usr/lib/\($0)-linux-gnu/pkcs11/libtpm2_pkcs11.so" }
        guard let place = places.first(where: { FileManager.default.fileExists(atPath: $0) }) else {
            throw Command.Failure(description: "libtpm2_pkcs11.so was not found; install libtpm2-pkcs11-1")
        }
        return place
    }
}
