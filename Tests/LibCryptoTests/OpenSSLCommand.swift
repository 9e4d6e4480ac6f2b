import Foundation

/// Runs the `openssl` command, a maker of keys that shares no code path with the parser under test.
enum OpenSSLCommand {
    struct Failure: Error { let arguments: [String] }

    static func output(_ arguments: [String], input: [UInt8] = []) throws -> [UInt8] {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["openssl"] + arguments
        let (standardInput, standardOutput) = (Pipe(), Pipe())
        process.standardInput = standardInput
        process.standardOutput = standardOutput
        process.standardError = FileHandle.nullDevice
        try process.run()
        try standardInput.fileHandleForWriting.write(contentsOf: Data(input))
        try standardInput.fileHandleForWriting.close()
        let output = try standardOutput.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw Failure(arguments: arguments) }
        return Array(output)
    }

    /// A new private key as PKCS#8 DER; `name` is an algorithm or the name of an EC curve.
    static func privateKey(_ name: String, options: [String] = []) throws -> [UInt8] {
        let kind =
            ["ED25519", "X25519", "RSA"].contains(name) ? [name] : ["EC", "-pkeyopt", "ec_paramgen_curve:\(name)"]
        let key = try output(["genpkey", "-algorithm"] + kind + options.flatMap { ["-pkeyopt", $0] })
        // `genpkey -outform DER` would write EC and RSA keys in their older forms.
        return try output(["pkcs8", "-topk8", "-nocrypt", "-outform", "DER"], input: key)
    }

    /// The SubjectPublicKeyInfo of a private key, as the command sees it.
    static func publicKey(of privateKey: [UInt8]) throws -> [UInt8] {
        try output(["pkey", "-inform", "DER", "-pubout", "-outform", "DER"], input: privateKey)
    }
}
