public import SecretMemory
public import WorkingKeys

/// The keys of one opened keyset, ready to be stored here: same type, same secret, same output prefixes.
///
/// - Source: Tink's `tink.proto` and the key messages of Tink and Aries, field numbers as in the keystore API's
///   specification, section 9.1.
public struct TinkKeyset: Sendable {
    public let type: KeyType
    /// In our order: the primary comes last. Disabled and destroyed ones are left out.
    public let versions: [KeyMaterial]
    /// Keys that were left out.
    public let leftOut: Int

    private static let mostKeys = 64

    /// - Throws: ``TrustBlocError``; `.unsupported` names the kind of key.
    public init(reading secret: SharedSecret) throws(TrustBlocError) {
        let (versions, leftOut) = try secret.withUnsafeBytes { bytes throws(TrustBlocError) in
            try Self.read(bytes)
        }
        guard let primary = versions.last, versions.allSatisfy({ $0.type == primary.type }) else {
            throw TrustBlocError(.unsupported, "the keyset has keys of different types")
        }
        type = primary.type
        self.versions = versions
        self.leftOut = leftOut
    }

    private static func read(_ bytes: UnsafeRawBufferPointer) throws(TrustBlocError) -> ([KeyMaterial], Int) {
        let keyset = try ProtoMessage(bytes, 0..<bytes.count)
        let primaryID = try keyset.number(1)
        let keys = try keyset.repeated(2)
        guard !keys.isEmpty, keys.count <= mostKeys else { throw TrustBlocError.damaged }
        var seen: Set<UInt64> = []
        var older: [KeyMaterial] = []
        var primary: KeyMaterial?
        var leftOut = 0
        for range in keys {
            let key = try ProtoMessage(bytes, range)
            let id = try key.number(3)
            // Output prefixes are made of ids: two keys of one could be distinguished by trying only.
            guard seen.insert(id).inserted else { throw TrustBlocError.damaged }
            guard try key.number(2) == 1 else {
                leftOut += 1
                continue
            }
            guard let data = try key.bytes(1), id <= UInt64(UInt32.max) else { throw TrustBlocError.damaged }
            let material = try TinkKey(
                bytes, data: data, id: UInt32(id), prefix: try key.number(4)
            ).material()
            if id == primaryID {
                primary = material
            } else {
                older.append(material)
            }
        }
        guard let primary else {
            throw TrustBlocError(.unsupported, "the keyset's primary key is missing, disabled or destroyed")
        }
        return (older + [primary], leftOut)
    }
}
