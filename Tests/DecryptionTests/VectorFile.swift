import Encodings
import Foundation

/// One file of ``Vectors``; see its README for the origin.
enum VectorFile {
    typealias Object = [String: Any]

    struct Missing: Error { var name: String }

    static func read(_ name: String) throws -> Object {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Vectors")
        let data = try Data(contentsOf: folder.appendingPathComponent(name))
        guard let object = try JSONSerialization.jsonObject(with: data) as? Object else { throw Missing(name: name) }
        return object
    }

    /// The members of `cases`.
    static func cases(_ name: String) throws -> [Object] {
        guard let cases = try read(name)["cases"] as? [Object], !cases.isEmpty else { throw Missing(name: name) }
        return cases
    }
}

extension [String: Any] {
    func text(_ name: String) throws -> String {
        guard let text = self[name] as? String else { throw VectorFile.Missing(name: name) }
        return text
    }

    func number(_ name: String) throws -> UInt64 {
        guard let number = (self[name] as? NSNumber)?.uint64Value else { throw VectorFile.Missing(name: name) }
        return number
    }

    /// With or without 0x in front.
    func hex(_ name: String) throws -> [UInt8] {
        let text = try text(name)
        guard let bytes = Hexadecimal.decode(text.hasPrefix("0x") ? String(text.dropFirst(2)) : text, .either) else {
            throw VectorFile.Missing(name: name)
        }
        return bytes
    }

    func object(_ name: String) throws -> VectorFile.Object {
        guard let object = self[name] as? VectorFile.Object else { throw VectorFile.Missing(name: name) }
        return object
    }
}
