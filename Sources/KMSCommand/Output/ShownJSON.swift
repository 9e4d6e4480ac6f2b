import Encodings
import KMSDaemon

/// A server's answer as `--output json` prints it.
struct ShownJSON: Encodable {
    let node: JSONNode

    init(_ node: JSONNode) { self.node = node }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch node {
        case .null: try container.encodeNil()
        case .bool(let flag): try container.encode(flag)
        case .number(let digits):
            if let whole = Int64(digits) { try container.encode(whole) } else { try container.encode(Double(digits)) }
        case .string(let text): try container.encode(text)
        case .array(let elements): try container.encode(elements.map { ShownJSON($0) })
        case .object(let members): try container.encode(members.mapValues { ShownJSON($0) })
        }
    }
}

extension JSONNode {
    /// Members in this order, as one line of text that is fit for a terminal.
    func line(_ names: String...) -> String {
        names.map { TerminalEscaping.of(self[$0]?.text ?? "-") }.joined(separator: "  ")
    }
}
