import PrometheusMetrics

extension KeystoreService {
    public func sign(keystore: String, key: String, message: [UInt8], caller: Caller = .nobody) async throws -> [UInt8]
    {
        try checkLength(message)
        return try await use(keystore, key, caller) { try await sign(message, with: $0) }
    }

    private func sign(_ message: [UInt8], with key: OpenedKey) async throws -> [UInt8] {
        let start = meters.meter.start()
        defer { meters.sign.record(since: start) }
        guard configuration.rawSecp256k1Signatures else { return try await key.sign(message) }
        return try await key.signRaw(message)
    }

    public func verify(keystore: String, key: String, signature: [UInt8], message: [UInt8], caller: Caller = .nobody)
        async throws
    {
        try checkLength(message)
        try await use(keystore, key, caller) { try await $0.verify(signature: signature, message: message) }
    }

    public func encrypt(
        keystore: String, key: String, message: [UInt8], associatedData: [UInt8], caller: Caller = .nobody
    ) async throws -> (ciphertext: [UInt8], nonce: [UInt8]) {
        try checkLength(message)
        try checkLength(associatedData)
        return try await use(keystore, key, caller) { try await $0.encrypt(message, associatedData: associatedData) }
    }

    public func decrypt(
        keystore: String, key: String, ciphertext: [UInt8], associatedData: [UInt8], nonce: [UInt8],
        caller: Caller = .nobody
    ) async throws -> [UInt8] {
        try checkLength(ciphertext)
        try checkLength(associatedData)
        return try await use(keystore, key, caller) {
            try await $0.decrypt(ciphertext: ciphertext, nonce: nonce, associatedData: associatedData)
        }
    }

    public func computeMAC(keystore: String, key: String, data: [UInt8], caller: Caller = .nobody) async throws
        -> [UInt8]
    {
        try checkLength(data)
        return try await use(keystore, key, caller) { try await $0.mac(data) }
    }

    public func verifyMAC(keystore: String, key: String, mac: [UInt8], data: [UInt8], caller: Caller = .nobody)
        async throws
    {
        try checkLength(data)
        try await use(keystore, key, caller) { try await $0.verifyMAC(mac, data: data) }
    }

    private func checkLength(_ bytes: [UInt8]) throws {
        guard bytes.count <= configuration.maximumMessageBytes else {
            throw KMSError(
                .invalidArgument, "An input is longer than \(configuration.maximumMessageBytes) bytes.")
        }
    }
}
