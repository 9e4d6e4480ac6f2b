import Encodings
import SecretMemory
import Token

/// The records of anchors that a token holds: its blob, sealed by it together with what it belongs to.
struct AnchorSeal: Sendable {
    let token: any Sealing

    func record(
        _ blob: AnchorBlob, publicKey: [UInt8], point: [UInt8], _ identity: RecordIdentity
    ) async throws(AnchorError) -> AnchorRecord {
        let context = try AnchorContext.bytes(identity, mode: .anchored, publicKey: publicKey, point: point)
        let encoded = AnchorContext.encode(blob)
        let plaintext: SharedSecret
        do throws(SecretMemoryError) {
            plaintext = SharedSecret(
                try encoded.span.withUnsafeBytes { bytes throws(SecretMemoryError) in
                    try SecretBytes(copying: bytes)
                })
        } catch {
            throw AnchorError(.internalFailure, "No locked memory for an anchor: \(error)")
        }
        do throws(HSMError) {
            return AnchorRecord(
                mode: .anchored, blob: try await token.seal(plaintext, under: .shareLockServer, context: context),
                publicKey: publicKey, point: point)
        } catch {
            throw AnchorError.from(error, "The token did not seal an anchor's record")
        }
    }

    func open(_ record: AnchorRecord, _ identity: RecordIdentity) async throws(AnchorError) -> AnchorBlob {
        let context = try AnchorContext.bytes(
            identity, mode: .anchored, publicKey: record.publicKey, point: record.point)
        let plaintext: SharedSecret
        do throws(HSMError) {
            plaintext = try await token.open(record.blob, under: .shareLockServer, context: context)
        } catch {
            throw AnchorError.from(error, "An anchor's record did not open")
        }
        return try AnchorContext.decode(plaintext.withUnsafeBytes { Array($0) })
    }
}
