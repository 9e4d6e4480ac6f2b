import TPMBridge
import TestSupport
import Testing
import Token

@Suite(.timeLimit(.minutes(10))) struct PCRValuesTests {
    private static let zero = String(repeating: "00", count: 32)
    private static let ones = String(repeating: "FF", count: 32)

    @Test(arguments: ["sha256:0", "sha256:0,7", "sha384:0,1,2,23"]) func selectionsArePrintedBack(_ text: String) throws
    {
        #expect(try #require(PCRSelection(parsing: text)).description == text)
    }

    @Test(arguments: [
        "", "sha256", "sha256:", "sha1:0", "sha256:24", "sha256:-1", "sha256:7,0", "sha256:0,0", "sha256:00",
        "sha256:+1",
        "sha256:0,", "sha256:0:1", "sha256:0x1", "sha256:1 ", "SHA256:0",
        "sha256:" + String(repeating: "1,", count: 60),
    ])
    func nonsenseIsNoSelection(_ text: String) { #expect(PCRSelection(parsing: text) == nil) }

    @Test func readsWhatTheToolsPrint() throws {
        let selection = try #require(PCRSelection(.sha256, [0, 7]))
        let text =
            "  sha1:\n    0 : 0x1234\n  sha256:\n    0 : 0x\(Self.zero)\n    1 : 0xnonsense\n"
            + "    7 : 0x\(Self.ones)\n"
        let values = try PCRValues(parsing: text, for: selection)
        #expect(values.selection == selection)
        #expect(values.values[7] == [UInt8](repeating: 0xFF, count: 32))
        #expect(values.differences(from: values).isEmpty)
    }

    @Test(arguments: [
        "", "sha256:\n", "0 : 0x\(zero)", "sha256:\n 0 : 0x00", "sha256:\n 0 0x\(zero)", "sha384:\n 0 : 0x\(zero)",
        "sha256:\n 0 : \(zero)\n 0 : \(zero)", "sha256:\n 99 : \(zero)", "sha256:\n 0 : 0x\(zero) x",
        String(repeating: "\n", count: 70_000),
    ])
    func otherTextIsRefused(_ text: String) throws {
        let selection = try #require(PCRSelection(.sha256, [0, 7]))
        #expect {
            try PCRValues(parsing: text, for: selection)
        } throws: {
            ($0 as? HSMError)?.code == .invalidArgument
        }
    }

    @Test func mutationsNeverCrash() throws {
        let selection = try #require(PCRSelection(.sha256, [0, 7]))
        let text = "sha256:\n  0 : 0x\(Self.zero)\n  7 : 0x\(Self.ones)\n"
        var mutator = Mutator(seed: 21)
        for _ in 0..<2000 {
            let changed = String(decoding: mutator.mutate(Array(text.utf8)), as: UTF8.self)
            guard let values = try? PCRValues(parsing: changed, for: selection) else { continue }
            #expect(values.values.values.allSatisfy { $0.count == 32 })
        }
    }

    @Test func aChangeNamesItsRegisters() throws {
        let zeros = [UInt8](repeating: 0, count: 32)
        let ones = [UInt8](repeating: 1, count: 32)
        let before = try #require(PCRValues(.sha256, [0: zeros, 4: zeros, 7: zeros]))
        let change = try #require(PCRValues(.sha256, [4: ones, 7: ones]))
        let after = try #require(before.replacing(change))
        #expect(after.differences(from: before) == [4, 7])
        #expect(try before.replacing(#require(PCRValues(.sha256, [1: ones]))) == nil)
        #expect(PCRValues(.sha256, [0: [1]]) == nil && PCRValues(.sha256, [:]) == nil)
    }
}
