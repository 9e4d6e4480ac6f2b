import Encodings

/// A transcript as a page to read and to file: HTML without scripts, pictures or anything from elsewhere.
public enum TranscriptPage {
    /// Writes the page of a transcript that holds, line by line.
    ///
    /// - Parameter print: Takes a line without its end; ASCII.
    /// - Throws: ``MigrationError`` for a transcript that does not hold; what was written until then is no page.
    public static func write(_ path: String, to print: (String) -> Void) throws {
        var checked = try TranscriptReader(path: path)
        let kinds = try checked.check()
        let name = try checked.name
        var reader = try TranscriptReader(path: path)
        let header = reader.header
        print("<!DOCTYPE html>")
        print("<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Transcript of a migration</title>")
        print("<style>body{font-family:sans-serif}td,th{text-align:left;vertical-align:top;padding:2px 8px}")
        print("td{font-family:monospace;overflow-wrap:anywhere}</style></head><body>")
        print("<h1>Transcript of a migration</h1>")
        print(
            "<p>Every record below was opened on both tokens, which answered one challenge alike. Both audit keys have "
        )
        print("signed this list; <code>kmsd migrate verify --transcript</code> checks it.</p>")
        print("<table>")
        print(row("begun", Timestamp(seconds: header.time / 1000).rfc3339(digits: 0)))
        print(row("SHA-256 in the audit chain", name))
        for (side, token) in [("from", header.source), ("to", header.target)] {
            print(row(side, "\(token.label), serial number \(token.serial), \(token.manufacturer) \(token.model)"))
            print(row("instance", token.instance))
            print(row("audit key", token.auditKey))
        }
        for kind in kinds { print(row(kind.kind, "\(kind.count)")) }
        if let end = checked.end {
            print(row("signed by the one", end.sourceSignature))
            print(row("signed by the other", end.targetSignature))
        }
        print("</table><table>")
        print(
            "<tr><th>#</th><th>kind</th><th>name</th><th>route</th><th>in the clear</th><th>before</th><th>after</th>")
        print("<th>challenge</th><th>both answers</th></tr>")
        while let record = try reader.next() {
            print(
                cells([
                    "\(record.number)", record.kind, record.name, record.route, record.exposure, record.source,
                    record.target, record.challenge, record.sourceProof,
                ]))
        }
        print("</table></body></html>")
    }

    private static func row(_ name: String, _ value: String) -> String {
        "<tr><th>\(escaped(name))</th><td>\(escaped(value))</td></tr>"
    }

    private static func cells(_ values: [String]) -> String {
        "<tr>" + values.map { "<td>\(escaped($0))</td>" }.joined() + "</tr>"
    }

    /// Names are others' words: everything but letters, digits and what separates them in names is written as a number.
    static func escaped(_ text: String) -> String {
        var escaped = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "a"..."z", "A"..."Z", "0"..."9", " ", ":", ".", ",", "-", "_", "/":
                escaped.unicodeScalars.append(scalar)
            default: escaped += "&#\(scalar.value);"
            }
        }
        return escaped
    }
}
