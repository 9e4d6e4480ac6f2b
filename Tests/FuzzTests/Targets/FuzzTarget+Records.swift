@testable import Audit
@testable import Migration

extension FuzzTarget {
    /// The record of decisions, as it is stored, exported and given out. Everything has one spelling.
    static let records = [
        FuzzTarget("audit-record", longest: 2048) { bytes throws(FuzzFinding) in
            if let record = AuditRecord(encoded: bytes) {
                try claim(record.encoded == bytes, "a record has a second spelling")
                try line(.record(record, hash: [UInt8](repeating: 5, count: 32)))
            }
            if let head = AuditHead(encoded: bytes) {
                try claim(head.encoded == bytes, "a head has a second spelling")
            }
            if let checkpoint = AuditCheckpoint(encoded: bytes, publicKey: [], signature: []) {
                try claim(checkpoint.encoded == bytes, "a checkpoint has a second spelling")
            }
        },
        FuzzTarget("audit-line", longest: 2048) { bytes throws(FuzzFinding) in
            if let line = AuditLine(json: bytes) {
                try claim(line.json.utf8.elementsEqual(bytes), "a line has a second spelling")
            }
            if let head = parsed({ try AuditHeadFile.head(in: bytes) }) {
                let again = try accepted("a printed head") {
                    try AuditHeadFile.head(in: Array(AuditHeadFile(head).json.utf8))
                }
                try claim(again == head, "a head does not survive printing")
            }
        },
        FuzzTarget("receipt", longest: 2048) { bytes throws(FuzzFinding) in
            guard let receipt = parsed({ try Receipt(json: bytes) }) else { return }
            try claim(
                receipt.json.utf8.elementsEqual(bytes) || bytes.last == 0x0A, "a receipt has a second spelling")
        },
        FuzzTarget("transcript", longest: 8192) { bytes throws(FuzzFinding) in
            let lines = parsed { () throws -> [[UInt8]] in
                var rest = bytes
                var reader = try TranscriptReader(reading: {
                    defer { rest = [] }
                    return rest
                })
                var lines = [try Transcript.encode(reader.header)]
                while let record = try reader.next() { lines.append(try Transcript.encode(record)) }
                if let end = reader.end { lines.append(try Transcript.encode(end)) }
                return lines
            }
            guard let lines else { return }
            try claim(
                lines.flatMap { $0 + [0x0A] } == bytes,
                "a transcript has a second spelling, or a line that nobody checks")
        },
    ]

    private static func line(_ line: AuditLine) throws(FuzzFinding) {
        let again = AuditLine(json: Array(line.json.utf8))
        try claim(again == line, "a record does not survive its line")
        try claim(line.json.utf8.allSatisfy { (0x20..<0x7F).contains($0) }, "a line holds what a terminal obeys")
    }
}
