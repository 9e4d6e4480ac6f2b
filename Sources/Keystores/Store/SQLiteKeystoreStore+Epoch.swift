import GRDB
public import Storage

/// The number by which an older copy of the whole file is known. Each change that such a copy would undo raises it in its own
/// transaction; the audit chain remembers the highest.
extension SQLiteKeystoreStore {
    /// How many changes of what was stored this file has seen; making keystores and keys is none. An older copy of the file
    /// has a lower one. Of what is durable: read from memory.
    public var epoch: UInt64 { seal.epoch }

    /// Makes a change after which an older copy of the file would bring something back, and raises the epoch with it.
    ///
    /// - Parameter body: Tells whether it changed anything.
    func lowering(
        erases: Bool = false, _ body: @escaping @Sendable (Database) throws -> Bool
    ) async throws -> Bool {
        let raised = try await writer.perform(erases: erases) { [self] db -> UInt64? in
            guard try body(db) else { return nil }
            try faults.reached(.statement)
            return try seal.raise(db)
        }
        guard let raised else { return false }
        seal.settle(raised)
        return true
    }

    /// What a file that is only read says of its own place, also beside the daemon. Blocks for a few file operations.
    public static func claim(ofFile path: String) throws -> StateSeal.Claim {
        try StateSeal.claim(ofFile: path, schema: Schema.current)
    }

    /// Keys in a file that is only read which live in the token, and are not destroyed.
    public static func residentKeys(ofFile path: String) throws -> Int {
        try StateSeal.count(
            "SELECT COUNT(*) FROM keys WHERE protection = 'resident' AND state <> 'destroyed'", inFile: path,
            schema: Schema.current)
    }

    /// The daemon's own DID keys in a file that is only read which the token alone opens.
    public static func tokenDIDKeys(ofFile path: String) throws -> Int {
        try StateSeal.count(
            "SELECT COUNT(*) FROM did_keys WHERE lock_kind = 'token'", inFile: path, schema: Schema.current)
    }
}
