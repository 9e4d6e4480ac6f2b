import Foundation
import Testing

/// Every input of the corpus through its target: seeds, and what fuzzing once found. `scripts/fuzz` goes on from them.
@Suite struct CorpusTests {
    private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent("Corpus")

    private static func inputs(_ target: String) throws -> [URL] {
        try FileManager.default.contentsOfDirectory(
            at: folder.appendingPathComponent(target), includingPropertiesForKeys: nil
        ).sorted { $0.path < $1.path }
    }

    @Test(arguments: FuzzTarget.all.map(\.name))
    func everyInputHolds(name: String) throws {
        let target = try #require(FuzzTarget.all.first { $0.name == name })
        let inputs = try Self.inputs(name)
        #expect(!inputs.isEmpty, "a target needs a seed, or fuzzing starts from nothing")
        for input in inputs {
            let bytes = [UInt8](try Data(contentsOf: input))
            #expect(bytes.count <= target.longest, "\(input.lastPathComponent) is longer than its target reads")
            do throws(FuzzFinding) { try target.run(bytes) } catch {
                Issue.record("\(name)/\(input.lastPathComponent): \(error)")
            }
        }
        // Also what no corpus keeps: nothing, and every first byte.
        try target.run([])
        for byte in UInt8.min ... .max { try target.run([byte]) }
    }

    @Test func targetsAndFoldersAreTheSame() throws {
        let folders = try FileManager.default.contentsOfDirectory(atPath: Self.folder.path).filter { $0 != "README.md" }
        #expect(Set(folders) == Set(FuzzTarget.all.map(\.name)))
        #expect(Set(FuzzTarget.all.map(\.name)).count == FuzzTarget.all.count)
    }
}
