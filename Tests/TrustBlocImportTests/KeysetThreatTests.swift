import SecretMemory
import TestSupport
import Testing
import WorkingKeys

@testable import TrustBlocImport

/// Keysets made to mislead: foreign, repeated and disabled keys, unknown types, and very many keys.
@Suite(.timeLimit(.minutes(10))) struct KeysetThreatTests {
    /// One key of a keyset, in the order of Tink's `Keyset.Key`.
    private struct Key {
        var url = "type.googleapis.com/google.crypto.tink.AesGcmKey"
        var secret = [UInt8](repeating: 7, count: 32)
        var status: UInt64 = 1
        var id: UInt64 = 1
        var prefix: UInt64 = 1
    }

    private static func varint(_ number: UInt64) -> [UInt8] {
        number < 0x80 ? [UInt8(number)] : [UInt8(number & 0x7F) | 0x80] + varint(number >> 7)
    }

    private static func number(_ field: UInt64, _ value: UInt64) -> [UInt8] { varint(field << 3) + varint(value) }

    private static func bytes(_ field: UInt64, _ value: [UInt8]) -> [UInt8] {
        varint(field << 3 | 2) + varint(UInt64(value.count)) + value
    }

    private static func keyset(primary: UInt64, _ keys: [Key]) -> [UInt8] {
        keys.reduce(into: number(1, primary)) { set, key in
            let data = bytes(1, Array(key.url.utf8)) + bytes(2, bytes(3, key.secret)) + number(3, 1)
            set += bytes(2, bytes(1, data) + number(2, key.status) + number(3, key.id) + number(4, key.prefix))
        }
    }

    private func read(primary: UInt64, _ keys: [Key]) throws -> TinkKeyset {
        try TinkKeyset(reading: SharedSecret(try secret(Self.keyset(primary: primary, keys))))
    }

    private func refusal(primary: UInt64 = 1, _ keys: [Key]) throws -> TrustBlocError.Code? {
        do {
            _ = try read(primary: primary, keys)
            return nil
        } catch let error as TrustBlocError {
            return error.code
        }
    }

    @Test func honestKeysetsAreRead() throws {
        let keys = [Key(id: 1), Key(id: 4_294_967_295), Key(status: 2, id: 3), Key(status: 3, id: 5)]
        let keyset = try read(primary: 4_294_967_295, keys)
        #expect(keyset.versions.map(\.prefixID) == [1, 4_294_967_295])
        #expect(keyset.leftOut == 2)
    }

    @Test func thePrimaryMustBeThereAndEnabled() throws {
        #expect(try refusal(primary: 2, [Key(id: 1)]) == .unsupported)
        #expect(try refusal([]) == .damaged)
        for status: UInt64 in [0, 2, 3, 4, 1 << 40] {
            #expect(try refusal([Key(status: status, id: 1), Key(id: 2)]) == .unsupported)
        }
    }

    @Test func noIDIsTwice() throws {
        #expect(try refusal([Key(id: 1), Key(id: 1)]) == .damaged)
        #expect(try refusal([Key(id: 2), Key(id: 1), Key(id: 2)]) == .damaged)
        #expect(try refusal([Key(id: 1), Key(status: 2, id: 1)]) == .damaged)
        #expect(try refusal(primary: 1 << 32, [Key(id: 1 << 32)]) == .damaged)
    }

    @Test func unknownTypesAndPrefixesAreRefused() throws {
        for url in [
            "", "AesGcmKey", "type.googleapis.com/google.crypto.tink.AesGcmKey2", "type.evil.example/AesGcmKey",
            "type.googleapis.com/google.crypto.tink.AesSivKey", "type.googleapis.com/google.crypto.tink.aesgcmkey",
            "TYPE.googleapis.com/google.crypto.tink.AesGcmKey", "type.googleapis.com/google.crypto.tink.AesGcmKey\u{0}",
            "type.hyperledger.org/hyperledger.aries.crypto.tink.CLCredDefKey",
        ] {
            #expect(try refusal([Key(url: url)]) == .unsupported, "\(url)")
        }
        #expect(try refusal([Key(url: String(repeating: "a", count: 201))]) == .damaged)
        for prefix: UInt64 in [0, 2, 4, 9] { #expect(try refusal([Key(prefix: prefix)]) == .unsupported) }
        for count in [0, 1, 15, 17, 31, 33, 64] {
            #expect(try refusal([Key(secret: [UInt8](repeating: 1, count: count))]) != nil)
        }
    }

    @Test func keysOfTwoTypesAreNoKeyset() throws {
        #expect(try refusal([Key(id: 1), Key(secret: [UInt8](repeating: 1, count: 16), id: 2)]) == .unsupported)
    }

    @Test func manyKeysAreRefusedBeforeAnyIsRead() throws {
        #expect(try refusal((1...64).map { Key(id: $0) }) == nil)
        #expect(try refusal((1...65).map { Key(id: $0) }) == .damaged)
        // Nothing is held for keys that are not read: locked memory has no room for ten thousand.
        #expect(try refusal((1...10_000).map { Key(id: $0) }) == .damaged)
    }
}
