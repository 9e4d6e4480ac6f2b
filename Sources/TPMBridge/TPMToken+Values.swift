public import Token

/// One value in the TPM's non-volatile memory and a counter beside it, made by `init`, used with the PIN's authorization
/// only; see ``TPMConnection/kept(_:)``.
extension TPMToken: RollbackProtectedStorage {
    static let keptBytes = 512

    public func keptValue(_ name: String) async throws(HSMError) -> KeptValue {
        try await perform { (connection) throws(HSMError) in
            let kept = try connection.kept(name)
            return KeptValue(value: kept.value, counter: kept.counter == nil ? 0 : try connection.counterValue())
        }
    }

    @discardableResult
    public func keep(_ value: [UInt8], as name: String) async throws(HSMError) -> UInt64 {
        _ = try KeptMemory(counter: 0, value: value).encoded(name: name)
        return try await perform { (connection) throws(HSMError) in
            let kept = try connection.kept(name)
            if kept.counter == nil { try connection.makeCounter() }
            return try connection.keep(value, as: name, insteadOf: kept)
        }
    }

    public func keepAnew(_ value: [UInt8], as name: String) async throws(HSMError) -> UInt64 {
        _ = try KeptMemory(counter: 0, value: value).encoded(name: name)
        return try await perform { (connection) throws(HSMError) in
            try connection.makeKeeping()
            return try connection.keep(value, as: name, insteadOf: nil)
        }
    }
}
