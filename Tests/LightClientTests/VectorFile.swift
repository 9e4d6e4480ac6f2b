import Encodings
import Foundation

@testable import LightClient

/// One file of ``Vectors``; see its README for the origin.
enum VectorFile {
    typealias Object = [String: Any]

    static func bytes(_ name: String) throws -> [UInt8] {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Vectors")
        return [UInt8](try Data(contentsOf: folder.appendingPathComponent(name)))
    }

    static func read(_ name: String) throws -> Object {
        guard let object = try JSONSerialization.jsonObject(with: Data(bytes(name))) as? Object else {
            throw Missing(name: name)
        }
        return object
    }

    /// A part of a file as a text of its own.
    static func text(_ part: Any) throws -> [UInt8] { [UInt8](try JSONSerialization.data(withJSONObject: part)) }

    struct Missing: Error { var name: String }
}

extension [String: Any] {
    func text(_ name: String) throws -> String {
        guard let text = self[name] as? String else { throw VectorFile.Missing(name: name) }
        return text
    }

    func number(_ name: String) throws -> Int {
        guard let number = self[name] as? Int else { throw VectorFile.Missing(name: name) }
        return number
    }

    func hex(_ name: String) throws -> [UInt8] {
        guard let bytes = Hexadecimal.decode(try text(name), .either) else { throw VectorFile.Missing(name: name) }
        return bytes
    }

    func time(_ name: String) throws -> ChainTime {
        guard let time = ChainTime(rfc3339: try text(name).utf8) else { throw VectorFile.Missing(name: name) }
        return time
    }

    func object(_ name: String) throws -> VectorFile.Object {
        guard let object = self[name] as? VectorFile.Object else { throw VectorFile.Missing(name: name) }
        return object
    }

    func objects(_ name: String) throws -> [VectorFile.Object] {
        guard let objects = self[name] as? [VectorFile.Object] else { throw VectorFile.Missing(name: name) }
        return objects
    }

    func header() throws -> BlockHeader {
        try ReplyObject.reading(VectorFile.text(self), "the header", BlockHeader.names) {
            object throws(LightClientError) in try BlockHeader(object)
        }
    }

    func signedHeader() throws -> SignedHeader {
        try ReplyObject.reading(VectorFile.text(self), "the signed header", SignedHeader.names) {
            object throws(LightClientError) in try SignedHeader(object)
        }
    }

    /// The member `validators`.
    func validatorSet() throws -> ValidatorSet {
        try ReplyObject.reading(VectorFile.text(self), "the set", ["validators"]) { object throws(LightClientError) in
            try ValidatorSet(Validator.reading(object, limit: ChainLimits.validators))
        }
    }
}
