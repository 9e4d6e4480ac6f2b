import SecretMemory

/// What locked memory costs.
enum SecretCells {
    static func measure() throws {
        try BatchTimer.measure("SecretBytes: reserve, fill and wipe 32 bytes") {
            let secret = try SecretBytes.make(count: 32) { $0.storeBytes(of: 1, as: UInt64.self) }
            _ = secret.count
        }
    }
}
