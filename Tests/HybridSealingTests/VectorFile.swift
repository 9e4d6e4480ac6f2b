import Foundation

/// A vector file beside these tests.
enum VectorFile {
    static func load<T: Decodable>(_ name: String, as type: T.Type) throws -> T {
        let url = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Vectors/\(name)")
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return try decoder.decode(type, from: Data(contentsOf: url))
    }

    static func base64(_ text: String) throws -> [UInt8] {
        guard let data = Data(base64Encoded: text) else { throw Malformed(text: text) }
        return Array(data)
    }

    static func base64URL(_ text: String) throws -> [UInt8] {
        let standard = text.replacingOccurrences(of: "-", with: "+").replacingOccurrences(of: "_", with: "/")
        return try base64(standard + String(repeating: "=", count: (4 - standard.count % 4) % 4))
    }

    struct Malformed: Error { let text: String }
}
