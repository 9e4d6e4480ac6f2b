import Encodings
import Foundation

/// A node's answers that somebody saved, served as they are.
public final class RecordedAnswers: Sendable {
    /// Files of one directory that are served.
    static let mostFiles = 20_000
    /// Bytes of one file.
    static let longestFile = 4 << 20

    private let directory: String
    /// The latest height with a header.
    private let last: Int64

    /// - Parameter directory: With `commit-HEIGHT.json`, `validators-HEIGHT.json` or `validators-HEIGHT-PAGE.json`,
    ///   `abci_query-HEIGHT-KEY.json` (the key in lower-case hexadecimal), and `status.json`.
    public init(directory: String) throws {
        guard let names = try? FileManager.default.contentsOfDirectory(atPath: directory), names.count <= Self.mostFiles
        else { throw TrialChainError.recording("it is no directory, or has more than \(Self.mostFiles) files") }
        let heights = names.compactMap { name -> Int64? in
            guard name.utf8.starts(with: "commit-".utf8), name.utf8.count > 12 else { return nil }
            return Int64(String(decoding: name.utf8.dropFirst(7).dropLast(5), as: UTF8.self))
        }
        guard let last = heights.max() else {
            throw TrialChainError.recording("there is no commit-HEIGHT.json in it")
        }
        (self.directory, self.last) = (directory, last)
    }

    /// Nil for what was not recorded.
    func answer(_ question: NodeQuestion) throws -> [UInt8]? {
        let height = try question.number("height", in: 0...Int64.max) ?? last
        switch question.path {
        case "/status": return file("status")
        case "/commit": return file("commit-\(height)")
        case "/validators":
            let page = try question.number("page", in: 1...1_000) ?? 1
            return file("validators-\(height)-\(page)") ?? (page == 1 ? file("validators-\(height)") : nil)
        case "/abci_query":
            let key = try question.hex("data", counts: 1...256) ?? []
            return file("abci_query-\(height)-" + Hexadecimal.encode(key))
        default: return nil
        }
    }

    private func file(_ name: String) -> [UInt8]? {
        guard let file = FileHandle(forReadingAtPath: "\(directory)/\(name).json") else { return nil }
        defer { try? file.close() }
        guard let content = try? file.read(upToCount: Self.longestFile + 1), content.count <= Self.longestFile else {
            return nil
        }
        return [UInt8](content)
    }
}

/// What nodes answer from.
public enum TrialSource: Sendable {
    case chain(TrialChain)
    case recorded(RecordedAnswers)
}
