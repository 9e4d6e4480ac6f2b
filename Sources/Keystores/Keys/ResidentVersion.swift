import Foundation
import SecretMemory
import Token

/// One version of a token-resident key as it is sealed: the token's blob and the version's output prefix.
///
/// JSON with sorted members; see `docs/FORMATS.md`. The blob is not secret, but sealing it binds it to its record.
struct ResidentVersion: Codable, Sendable {
    private var format = 1
    let identifier: Data
    let algorithm: ResidentAlgorithm
    let wrapped: Data
    let publicKey: Data?
    let prefixID: UInt32?

    init(blob: ResidentKeyBlob, prefixID: UInt32?) {
        identifier = Data(blob.identifier)
        algorithm = blob.algorithm
        wrapped = Data(blob.wrapped)
        publicKey = blob.publicKey.map { Data($0) }
        self.prefixID = prefixID
    }

    var blob: ResidentKeyBlob {
        ResidentKeyBlob(
            identifier: [UInt8](identifier), algorithm: algorithm, wrapped: [UInt8](wrapped),
            publicKey: publicKey.map { [UInt8]($0) })
    }

    func serialized() throws -> SharedSecret {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let bytes = try encoder.encode(self)
        return SharedSecret(try SecretBytes.make(count: bytes.count) { $0.copyBytes(from: bytes) })
    }

    init(deserializing bytes: SharedSecret) throws {
        self = try JSONDecoder().decode(ResidentVersion.self, from: bytes.withUnsafeBytes { Data($0) })
        guard format == 1 else { throw KMSError(.internal, "A key is stored in a form this version does not know.") }
    }
}
