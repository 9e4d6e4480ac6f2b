import Encodings
import Foundation

/// One file of ``Vectors``; see its README for the origin.
enum VectorFile {
    typealias Object = [String: Any]

    static func read(_ name: String) throws -> Object {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Vectors")
        let data = try Data(contentsOf: folder.appendingPathComponent(name))
        guard let object = try JSONSerialization.jsonObject(with: data) as? Object else { throw Missing(name: name) }
        return object
    }

    struct Missing: Error { var name: String }
}

extension [String: Any] {
    func text(_ name: String) throws -> String {
        guard let text = self[name] as? String else { throw VectorFile.Missing(name: name) }
        return text
    }

    func hex(_ name: String) throws -> [UInt8] {
        let text = try text(name)
        guard let bytes = Hexadecimal.decode(text.hasPrefix("0x") ? String(text.dropFirst(2)) : text, .either) else {
            throw VectorFile.Missing(name: name)
        }
        return bytes
    }

    func base64(_ name: String) throws -> [UInt8] {
        guard let data = Data(base64Encoded: try text(name)) else { throw VectorFile.Missing(name: name) }
        return [UInt8](data)
    }

    /// No bytes where the member is absent or null.
    func bytes(_ name: String) -> [UInt8] { (try? base64(name)) ?? [] }
    func number(_ name: String) -> UInt64 { UInt64(self[name] as? Int ?? 0) }

    func object(_ name: String) throws -> VectorFile.Object {
        guard let object = self[name] as? VectorFile.Object else { throw VectorFile.Missing(name: name) }
        return object
    }

    func objects(_ name: String) throws -> [VectorFile.Object] {
        guard let objects = self[name] as? [VectorFile.Object] else { throw VectorFile.Missing(name: name) }
        return objects
    }
}
