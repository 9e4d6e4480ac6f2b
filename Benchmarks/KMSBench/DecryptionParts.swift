import ArgumentParser
import CYardstick
import Decryption
import Foundation
import LightClient
import SecretMemory
import TFHE

/// Times the parts of a decryption in process, on what `scripts/bench` has prepared.
struct DecryptionParts: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "decryption-parts",
        abstract: "In-process parts of a decryption, in nanoseconds.",
        discussion: "Each figure is the smallest mean of many short batches. Prints one JSON object per line.")

    @Option(help: "A client key of raw-0.6.")
    var key: String

    @Option(help: "A u64 of raw-0.6 for that key.")
    var ciphertext: String

    @Option(help: "A node's reply to `commit`.")
    var commit: String

    @Option(help: "A node's replies to `validators` at that height, page after page.")
    var validators: [String]

    func run() throws {
        let bytes = try Self.read(ciphertext)
        try lattice(bytes)
        try copies(bytes)
        try hashes(bytes)
        try header()
    }

    private static func read(_ path: String) throws -> [UInt8] {
        [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
    }

    private func lattice(_ bytes: [UInt8]) throws {
        let length = 2048
        // The second block's words; those of the first begin behind two counts.
        let words = Array(bytes[16..<16 + 8 * (length + 1)])
        let packed = (0..<length / 8).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ 11) }
        var lane = [UInt8](repeating: 0, count: MaskedSum.laneByteCount)
        var (ours, theirs): (UInt64, UInt64) = (0, 0)
        try BatchTimer.measure("C yardstick: LWE inner product, 2,048 words") {
            theirs = kms_yardstick_lwe(words, packed, length)
        }
        try BatchTimer.measure("LWE block, 2,048 words") {
            ours = lane.withUnsafeMutableBytes { lane in
                words.withUnsafeBytes { words in
                    packed.withUnsafeBytes { MaskedSum.phase(words, key: $0, length: length, lane: lane) }
                }
            }
        }
        guard ours == theirs else { throw BenchError("the two inner products differ") }
        let file = try Self.read(key)
        let clientKey = try ClientKey(
            reading: SecretBytes.make(count: file.count) { $0.copyBytes(from: file) }, as: .raw06)
        let read = try Ciphertext(bytes, as: .raw06, of: .unsigned(bits: 64))
        try BatchTimer.measure("u64 decrypted", turns: 5, batches: 100) { _ = try clientKey.decrypt(read) }
        try BatchTimer.measure("u64 ciphertext read") { _ = try Ciphertext(bytes, as: .raw06, of: .unsigned(bits: 64)) }
    }

    /// What the heap grows by while a ciphertext goes from the message that it came in to what is decrypted.
    private func copies(_ bytes: [UInt8]) throws {
        struct Copies: Encodable {
            let name = "u64 ciphertext, from the message to its blocks"
            let bytes: Int
            let bytesAllocated: Int

            enum CodingKeys: String, CodingKey {
                case name, bytes
                case bytesAllocated = "bytes_allocated"
            }
        }
        let message = Data(bytes)
        let before = kms_heap_bytes()
        let ciphertext = try Ciphertext([UInt8](message), as: .raw06, of: .unsigned(bits: 64))
        let grown = withExtendedLifetime((message, ciphertext)) { Int(kms_heap_bytes()) - Int(before) }
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        StandardOutput.line(
            String(decoding: try encoder.encode(Copies(bytes: bytes.count, bytesAllocated: grown)), as: UTF8.self))
    }

    private func hashes(_ bytes: [UInt8]) throws {
        try BatchTimer.measure("handle of a u64 ciphertext", turns: 3, batches: 50) { _ = Handles.handle(of: bytes) }
        var request = LegacyRequest(.gb, .decrypt)
        request.ciphertext = bytes
        try BatchTimer.measure("digest of a GB request for a u64", turns: 1, batches: 20) {
            _ = try LegacyRequest.digest(ofEncoded: request.encoded)
        }
    }

    private func header() throws {
        let reply = try Self.read(commit)
        let block = try NodeReply.commit(reply)
        var pages = ValidatorPages(height: block.header.height)
        for page in validators { try pages.add(NodeReply.validators(Self.read(page))) }
        let set = try pages.set()
        let rules = HeaderRules(try TrustRules(chainID: block.header.chainID))
        try BatchTimer.measure("header of \(set.validators.count) validators verified", turns: 1, batches: 50) {
            try rules.checkAlone(block, validators: set)
        }
    }
}
