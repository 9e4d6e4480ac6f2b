import Foundation
import Glibc
import Keystores
import TrustBlocStore

/// What an import did.
struct ImportReport: Encodable {
    /// One thing that stayed behind.
    struct Item: Encodable {
        /// `keystore` or `key`.
        var kind: String
        var id: String
        var reason: String
    }

    var keystores = 0
    var keys = 0
    /// Keystores and keys that an earlier run had brought.
    var alreadyHere = 0
    /// Records that our keystores do not need, such as main keys.
    var serversOwn = 0
    /// Lines of stores that are not read.
    var passedOver = 0
    var leftBehind: [Item] = []

    var text: String {
        var lines = [
            "\(keystores) keystores and \(keys) keys imported, \(alreadyHere) already here, \(serversOwn) records of the "
                + "server's own, \(passedOver) lines of other stores."
        ]
        lines += leftBehind.map { "left behind: \($0.kind) \($0.id): \($0.reason)" }
        return lines.joined(separator: "\n")
    }
}

/// Brings the keystores and keys of a dump into our store, one transaction each; what is there is passed over.
struct TrustBlocImport {
    let keystores: KeystoreService
    let dump: TrustBlocDump
    let keys: TrustBlocKeys

    func run() async throws -> ImportReport {
        var report = ImportReport()
        report.passedOver = dump.passedOver
        var progress = ImportProgress(total: dump.keystores.count + dump.keys.count)
        defer { progress.finish() }
        var usable: Set<Int> = []
        let unopened = Dictionary(keys.unopened.map { ($0.keystore, $0.reason) }) { first, _ in first }
        for (index, keystore) in dump.keystores.enumerated() {
            progress.step()
            if let reason = unopened[keystore.id] {
                report.leftBehind.append(ImportReport.Item(kind: "keystore", id: keystore.id, reason: reason))
                continue
            }
            if keystore.hasVault {
                report.leftBehind.append(
                    ImportReport.Item(
                        kind: "keystore", id: keystore.id, reason: "its keys are in a vault, not in the dump"))
                continue
            }
            do {
                let isNew = try await keystores.adoptKeystore(
                    id: keystore.id, controller: keystore.controller, createdAt: keystore.createdAt,
                    capability: keystore.capability)
                if isNew { report.keystores += 1 } else { report.alreadyHere += 1 }
                usable.insert(index)
            } catch let error as KMSError where Self.concernsOne(error) {
                report.leftBehind.append(
                    ImportReport.Item(kind: "keystore", id: keystore.id, reason: error.message))
            }
        }
        for (id, record) in dump.keys {
            progress.step()
            do {
                try await bring(id, record, usable, &report)
            } catch let error as TrustBlocError {
                report.leftBehind.append(ImportReport.Item(kind: "key", id: id, reason: error.message))
            } catch let error as KMSError where Self.concernsOne(error) {
                report.leftBehind.append(ImportReport.Item(kind: "key", id: id, reason: error.message))
            }
        }
        return report
    }

    private func bring(
        _ id: String, _ record: [UInt8], _ usable: Set<Int>, _ report: inout ImportReport
    ) async throws {
        switch try keys.find(id, record) {
        case .serversOwn: report.serversOwn += 1
        case .key(let index, let keyset):
            guard usable.contains(index) else {
                report.leftBehind.append(
                    ImportReport.Item(kind: "key", id: id, reason: "its keystore was left behind"))
                return
            }
            let isNew = try await keystores.adoptKey(
                keystore: dump.keystores[index].id, id: id, versions: keyset.versions)
            if isNew { report.keys += 1 } else { report.alreadyHere += 1 }
            if keyset.leftOut > 0 {
                report.leftBehind.append(
                    ImportReport.Item(
                        kind: "key", id: id, reason: "\(keyset.leftOut) disabled or destroyed versions"))
            }
        }
    }

    /// Whether the next record may do better; else the whole run ends, to be begun again.
    private static func concernsOne(_ error: KMSError) -> Bool { !error.code.isRetryable }
}

/// A line of progress on a terminal, and nothing elsewhere.
private struct ImportProgress {
    private let total: Int
    private var done = 0
    private var shown = -1
    private let isTerminal = isatty(STDERR_FILENO) == 1

    init(total: Int) { self.total = total }

    mutating func step() {
        done += 1
        guard isTerminal, total > 0, done * 100 / total != shown else { return }
        shown = done * 100 / total
        let bar = String(repeating: "#", count: shown / 4) + String(repeating: ".", count: 25 - shown / 4)
        FileHandle.standardError.write(Data("\r[\(bar)] \(done) of \(total)".utf8))
    }

    func finish() {
        if isTerminal, shown >= 0 { FileHandle.standardError.write(Data("\n".utf8)) }
    }
}
