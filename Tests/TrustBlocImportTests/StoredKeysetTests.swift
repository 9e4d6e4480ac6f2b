import Foundation
import SecretMemory
import TestSupport
import Testing
import WorkingKeys

@testable import TrustBlocImport

/// With the keystore specification's vectors: one Ed25519 key under each lock.
@Suite("Records of a TrustBloc store", .timeLimit(.minutes(10)))
struct StoredKeysetTests {
    private let vectors: [String: String]

    init() throws {
        let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("Vectors/records.json")
        vectors = try JSONDecoder().decode([String: String].self, from: Data(contentsOf: file))
    }

    private func bytes(_ name: String) throws -> [UInt8] { hex(try #require(vectors[name])) }

    private func secret(_ bytes: [UInt8]) throws -> SharedSecret {
        SharedSecret(try SecretBytes.make(count: bytes.count) { $0.copyBytes(from: bytes) })
    }

    private func record(_ name: String) throws -> [UInt8] { Array(try #require(vectors[name]).utf8) }

    @Test func eachLockOpensItsRecordToTheSameKeyset() throws {
        let local = StoredKeyset.Lock.local(try secret(bytes("local_master_key_hex")))
        let main = StoredKeyset.Lock.key(try secret(bytes("main_key_hex")))
        // The key of shares, once derived, is used like a local one.
        let shares = StoredKeyset.Lock.local(try secret(bytes("lock_key_hex")))
        for (name, lock, others) in [
            ("stored_record_under_local_lock", local, [main, shares]),
            ("stored_record_under_key_lock", main, [local, shares]),
            ("stored_record_under_shamir_lock", shares, [local, main]),
        ] {
            let stored = try StoredKeyset(json: try record(name))
            let (keyset, position) = try stored.open(with: others + [lock])
            #expect(position == 2)
            #expect(keyset.withUnsafeBytes { Array($0) } == (try bytes("keyset_proto_hex")))
            let error = #expect(throws: TrustBlocError.self) { try stored.open(with: others) }
            #expect(error?.code == .locked)
        }
    }

    @Test func theKeysetIsTheEd25519KeyThatItNames() throws {
        let keyset = try TinkKeyset(reading: try secret(bytes("keyset_proto_hex")))
        #expect(keyset.type == .ed25519)
        #expect(keyset.leftOut == 0)
        let key = try #require(keyset.versions.first)
        #expect(key.prefixID == nil)
        #expect(
            key.rawPublicKey == hex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"))
        #expect(try key.thumbprint == vectors["record_key_when_kid_generated"])
    }

    @Test func mutatedKeysetsAreRefusedOrReadAsWholeKeysAndNothingIsReadOutsideThem() throws {
        let original = try bytes("keyset_proto_hex")
        var mutator = Mutator(seed: 17)
        var refused = 0
        for _ in 0..<20_000 {
            let mutated = mutator.mutate(original)
            do {
                let keyset = try TinkKeyset(reading: try secret(mutated))
                #expect(!keyset.versions.isEmpty)
            } catch let error as TrustBlocError {
                #expect(error.code == .damaged || error.code == .unsupported)
                refused += 1
            }
        }
        #expect(refused > 10_000)
    }

    @Test func mutatedRecordsOpenToNothing() throws {
        let original = try record("stored_record_under_local_lock")
        let lock = StoredKeyset.Lock.local(try secret(bytes("local_master_key_hex")))
        let keyset = try bytes("keyset_proto_hex")
        var mutator = Mutator(seed: 18)
        for _ in 0..<5000 {
            let mutated = mutator.mutate(original)
            do throws(TrustBlocError) {
                let opened = try StoredKeyset(json: mutated).open(with: [lock])
                // Changes beside the encrypted keyset do not matter.
                #expect(opened.keyset.withUnsafeBytes { Array($0) } == keyset)
            } catch {
                #expect(error.code == .damaged || error.code == .locked)
            }
        }
    }

    @Test func dumpsOfAnotherFormAreRefusedWithTheLine() throws {
        let keystore = Data(
            #"{"id":"k","controller":"c","main_key_id":"m","created_at":"2023-05-06T07:08:09.123456789Z"}"#.utf8)
        let line = #"{"store":"x_keystores","key":"k","value":"\#(keystore.base64EncodedString())"}"#
        let dump = try TrustBlocDump(
            reading: Data((line + "\n\n" + #"{"store":"ldcontexts","key":"a","value":""}"#).utf8))
        #expect(dump.keystores.first?.createdAt == 1_683_356_889_000)
        #expect(dump.passedOver == 1)
        for bad in [
            "[]", "{}", #"{"store":"kmsdb","key":"a"}"#, #"{"store":"kmsdb","key":"a","value":"*"}"#,
            line + "\n" + line,
            #"{"store":"keystores","key":"other","value":"\#(keystore.base64EncodedString())"}"#,
        ] {
            let error = #expect(throws: TrustBlocError.self) { try TrustBlocDump(reading: Data(bad.utf8)) }
            #expect(error?.message.hasPrefix("line ") == true)
        }
        var mutator = Mutator(seed: 19)
        for _ in 0..<5000 {
            do throws(TrustBlocError) {
                _ = try TrustBlocDump(reading: Data(mutator.mutate(Array(line.utf8))))
            } catch {
                #expect(error.code == .damaged)
            }
        }
    }
}
