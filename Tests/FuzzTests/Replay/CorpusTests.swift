import Foundation
import Testing

/// Every input of the corpus through its target: seeds, and what fuzzing once found. `scripts/fuzz` goes on from them.
@Suite(.timeLimit(.minutes(10))) struct CorpusTests {
    private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent("Corpus")

    private static func inputs(_ target: String) throws -> [URL] {
        try FileManager.default.contentsOfDirectory(
            at: folder.appendingPathComponent(target), includingPropertiesForKeys: nil
        ).sorted { $0.path < $1.path }
    }

    @Test(arguments: FuzzTarget.all.map(\.name))
    func everyInputHolds(name: String) async throws {
        let target = try #require(FuzzTarget.all.first { $0.name == name })
        let inputs = try Self.inputs(name).map { ($0.lastPathComponent, [UInt8](try Data(contentsOf: $0))) }
        #expect(!inputs.isEmpty, "a target needs a seed, or fuzzing starts from nothing")
        for (file, bytes) in inputs {
            #expect(bytes.count <= target.longest, "\(file) is longer than its target reads")
        }
        // Also what no corpus keeps: nothing, and every first byte.
        let short: [(String, [UInt8])] = [("nothing", [])] + (UInt8.min ... .max).map { ("byte \($0)", [$0]) }
        for finding in await Self.findings(target, inputs + short) { Issue.record("\(name): \(finding)") }
    }

    /// On a thread of its own: a target may wait for tasks, whose threads a test must not hold meanwhile.
    private static func findings(_ target: FuzzTarget, _ inputs: [(String, [UInt8])]) async -> [String] {
        await withCheckedContinuation { continuation in
            Thread.detachNewThread {
                continuation.resume(
                    returning: inputs.compactMap { file, bytes -> String? in
                        do throws(FuzzFinding) { try target.run(bytes) } catch { return "\(file): \(error)" }
                        return nil
                    })
            }
        }
    }

    @Test func targetsAndFoldersAreTheSame() throws {
        let folders = try FileManager.default.contentsOfDirectory(atPath: Self.folder.path).filter { $0 != "README.md" }
        #expect(Set(folders) == Set(FuzzTarget.all.map(\.name)))
        #expect(Set(FuzzTarget.all.map(\.name)).count == FuzzTarget.all.count)
    }
}
