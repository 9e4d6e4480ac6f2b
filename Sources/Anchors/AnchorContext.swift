import Encodings
import SecretMemory
import Token

/// What an anchor's stored form is bound to, and its bytes once the token has opened it.
enum AnchorContext {
    /// The context of the token's seal: the record's identity, mode and both public values, so that neither they nor the
    /// blob can be exchanged with another record's.
    static func bytes(
        _ identity: RecordIdentity, mode: AnchorRecord.Mode, publicKey: [UInt8], point: [UInt8]
    ) throws(AnchorError) -> [UInt8] {
        var fields = RecordFields(.anchor)
        fields.append(identity.associatedData)
        fields.append(mode.rawValue)
        fields.append(publicKey)
        fields.append(point)
        guard fields.bytes.count <= RecordIdentity.longestAssociatedData else {
            throw AnchorError(.internalFailure, "The names of an anchor's record are too long together.")
        }
        return fields.bytes
    }

    /// kind(1) ‖ identifier(16) ‖ wrapped scalar; kind is 1 for wrapped, 2 for a token object, which has nothing wrapped.
    /// Not secret, since only the token opens what is wrapped.
    static func encode(_ blob: AnchorBlob) -> [UInt8] {
        switch blob.storage {
        case .wrapped(let wrapped): [1] + blob.identifier + wrapped
        case .object: [2] + blob.identifier
        }
    }

    static func decode(_ bytes: [UInt8]) throws(AnchorError) -> AnchorBlob {
        guard bytes.count >= 17 else { throw malformed }
        let identifier = Array(bytes[1..<17])
        switch (bytes[0], bytes.count) {
        case (1, 18...): return AnchorBlob(identifier: identifier, storage: .wrapped(Array(bytes[17...])))
        case (2, 17): return AnchorBlob(identifier: identifier, storage: .object)
        default: throw malformed
        }
    }

    private static var malformed: AnchorError {
        AnchorError(.damaged, "The stored form of an anchor is not one that this version writes.")
    }
}
