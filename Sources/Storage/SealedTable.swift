import Encodings
import Foundation
import GRDB
import LibCrypto
import SecretMemory

/// A table whose rows decide something, so that an older row in today's file must be noticed.
public struct SealedTable: Sendable {
    public var name: String
    /// Names a row.
    public var key: [String]
    /// What a row's stamp binds to its change number: columns that are bound to the rest of the row by other means, or all.
    /// Empty for rows that are made and removed only: those have neither column.
    public var content: [String]

    public init(_ name: String, key: [String], content: [String] = []) {
        self.name = name
        self.key = key
        self.content = content
    }

    var isStamped: Bool { !content.isEmpty }
    /// What is summed up.
    var element: [String] { isStamped ? key + ["serial"] : key }
    var stamped: [String] { key + ["serial"] + content }
}

/// The functions that seal a file's rows, under one key.
///
/// - Concurrency: any thread.
struct RowSealer: Sendable {
    /// The file, so that no row of another one fits.
    let file: String
    let key: SharedSecret

    static let length = 32

    /// A change number of a row.
    static func serial() -> Int64 { Int64.random(in: 1 ... .max) }

    func stamp(_ table: String, _ values: some Sequence<DatabaseValue>) throws -> [UInt8] {
        try authenticate(prefix(.databaseStamp, table), values)
    }

    func element(_ table: String, _ values: some Sequence<DatabaseValue>) throws -> [UInt8] {
        try element(prefix(.databaseElement, table), values)
    }

    /// The same, with what begins all of a table made once.
    func element(_ prefix: RecordFields, _ values: some Sequence<DatabaseValue>) throws -> [UInt8] {
        try authenticate(prefix, values)
    }

    func prefix(_ label: Labels, _ table: String) -> RecordFields {
        var fields = RecordFields(label, capacity: 256)
        fields.append(file)
        fields.append(table)
        return fields
    }

    func seal(epoch: Int64, total: [UInt8]) throws -> [UInt8] {
        var fields = RecordFields(.databaseSeal)
        fields.append(file)
        fields.append(UInt64(bitPattern: epoch))
        fields.append(total)
        return try key.withSecret { try HMAC.sha256(key: $0, fields.bytes) }
    }

    private func authenticate(_ prefix: RecordFields, _ values: some Sequence<DatabaseValue>) throws -> [UInt8] {
        var fields = prefix
        for value in values { Self.append(value, to: &fields) }
        return try key.withSecret { try HMAC.sha256(key: $0, fields.bytes) }
    }

    /// The storage class and the value, so that no two values give the same bytes.
    private static func append(_ value: DatabaseValue, to fields: inout RecordFields) {
        switch value.storage {
        case .null: fields.append(0, UnsafeRawBufferPointer(start: nil, count: 0))
        case .int64(let number): withUnsafeBytes(of: number.bigEndian) { fields.append(1, $0) }
        case .double(let number): withUnsafeBytes(of: number.bitPattern.bigEndian) { fields.append(2, $0) }
        case .string(var text): text.withUTF8 { fields.append(3, UnsafeRawBufferPointer($0)) }
        case .blob(let data): data.withUnsafeBytes { fields.append(4, $0) }
        }
    }
}

/// A sum of 256-bit numbers, little-endian words. Whoever does not know the elements cannot make two sets with one sum;
/// adding, and not xor, because a row that stands twice must not vanish.
struct RowSum: Sendable, Equatable {
    var words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)

    init() {}

    /// Nil unless there are 32 bytes.
    init?(_ bytes: some ContiguousBytes) {
        let words: (UInt64, UInt64, UInt64, UInt64)? = bytes.withUnsafeBytes { bytes in
            guard bytes.count == RowSealer.length else { return nil }
            func word(_ place: Int) -> UInt64 {
                UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: 8 * place, as: UInt64.self))
            }
            return (word(0), word(1), word(2), word(3))
        }
        guard let words else { return nil }
        self.words = words
    }

    var bytes: [UInt8] { [UInt8](data) }

    var data: Data {
        let words = (words.0.littleEndian, words.1.littleEndian, words.2.littleEndian, words.3.littleEndian)
        return withUnsafeBytes(of: words) { Data($0) }
    }

    static func == (left: RowSum, right: RowSum) -> Bool { left.words == right.words }

    static func += (sum: inout RowSum, other: RowSum) {
        var carry = false
        func add(_ left: UInt64, _ right: UInt64) -> UInt64 {
            let (first, one) = left.addingReportingOverflow(right)
            let (second, two) = first.addingReportingOverflow(carry ? 1 : 0)
            carry = one || two
            return second
        }
        sum.words.0 = add(sum.words.0, other.words.0)
        sum.words.1 = add(sum.words.1, other.words.1)
        sum.words.2 = add(sum.words.2, other.words.2)
        sum.words.3 = add(sum.words.3, other.words.3)
    }

    static prefix func - (sum: RowSum) -> RowSum {
        var inverse = RowSum()
        inverse.words = (~sum.words.0, ~sum.words.1, ~sum.words.2, ~sum.words.3)
        var one = RowSum()
        one.words.0 = 1
        inverse += one
        return inverse
    }
}
