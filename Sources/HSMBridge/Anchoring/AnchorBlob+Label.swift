import Encodings
import Token

extension AnchorBlob {
    /// The label of an anchor's token object: not among the labels of the manifest's keys, because the manifest does not
    /// know anchors and what clears leftovers away must not find them.
    static func label(instance: String, identifier: [UInt8]) -> String {
        "kmsd-anchor/\(instance)/\(Hexadecimal.encode(identifier))"
    }
}
