import Foundation
import Testing

@testable import Pairing

/// A vector file beside this source, as untyped JSON.
struct VectorFile {
    let root: [String: Any]

    init(_ name: String) throws {
        let url = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Vectors/\(name)")
        root = try #require(try JSONSerialization.jsonObject(with: Data(contentsOf: url)) as? [String: Any])
    }

    /// The items of one type; the count is the caller's to check.
    func items(_ type: String) throws -> [Vector] {
        let list = try #require(root["vectors"] as? [[String: Any]])
        return list.filter { $0["type"] as? String == type }.map { Vector(fields: $0) }
    }
}

struct Vector {
    let fields: [String: Any]

    var id: String { fields["id"] as? String ?? "?" }

    func text(_ name: String) throws -> String { try #require(fields[name] as? String, "\(id): \(name)") }
    func hex(_ name: String) throws -> [UInt8] { try #require(bytes(hex: try text(name)), "\(id): \(name)") }
    func texts(_ name: String) throws -> [String] { try #require(fields[name] as? [String], "\(id): \(name)") }
    func hexes(_ name: String) throws -> [[UInt8]] { try texts(name).map { try #require(bytes(hex: $0)) } }
    func flag(_ name: String) throws -> Bool { try #require(fields[name] as? Bool, "\(id): \(name)") }
    func tag() throws -> [UInt8] { Array(try text("dst").utf8) }
}

/// Strict hexadecimal: nil for an odd count or another character.
func bytes(hex: String) -> [UInt8]? {
    let digits = Array(hex.utf8)
    guard digits.count % 2 == 0 else { return nil }
    var result: [UInt8] = []
    for index in stride(from: 0, to: digits.count, by: 2) {
        guard let byte = UInt8(String(decoding: digits[index..<(index + 2)], as: UTF8.self), radix: 16) else {
            return nil
        }
        result.append(byte)
    }
    return result
}

/// Left-pads a big-endian hexadecimal number to `count` bytes.
func bytes(number: String, count: Int) throws -> [UInt8] {
    try #require(bytes(hex: String(repeating: "0", count: 2 * count - number.count) + number))
}

func hex(_ bytes: [UInt8]) -> String {
    bytes.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
}

/// Runs a function that writes a secret of `count` bytes and returns them.
func written(_ count: Int = 32, _ body: (UnsafeMutableRawBufferPointer) throws -> Void) rethrows -> [UInt8] {
    var output = [UInt8](repeating: 0, count: count)
    try output.withUnsafeMutableBytes { try body($0) }
    return output
}
