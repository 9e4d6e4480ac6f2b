/// Runs the `openssl` command, a maker of keys that shares no code path with our parsers.
public enum OpenSSLCommand {
    /// A new private key as PKCS#8 DER; `name` is an algorithm or the name of an EC curve.
    public static func privateKey(_ name: String, options: [String] = []) throws -> [UInt8] {
        let kind =
            ["ED25519", "X25519", "RSA"].contains(name) ? [name] : ["EC", "-pkeyopt", "ec_paramgen_curve:\(name)"]
        let key = try output(["genpkey", "-algorithm"] + kind + options.flatMap { ["-pkeyopt", $0] })
        // `genpkey -outform DER` would write EC and RSA keys in their older forms.
        return try output(["pkcs8", "-topk8", "-nocrypt", "-outform", "DER"], input: key)
    }

    /// The SubjectPublicKeyInfo of a private key, as the command sees it.
    public static func publicKey(of privateKey: [UInt8]) throws -> [UInt8] {
        try output(["pkey", "-inform", "DER", "-pubout", "-outform", "DER"], input: privateKey)
    }

    /// What a call of the command prints.
    public static func output(_ arguments: [String], input: [UInt8] = []) throws -> [UInt8] {
        try Command.succeed("openssl", arguments, input: input).output
    }
}
