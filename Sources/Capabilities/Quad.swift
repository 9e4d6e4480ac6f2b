/// One RDF statement of the default graph, with blank nodes named by position until they are labelled.
struct Quad {
    enum Term: Hashable {
        case iri(String)
        case blank(Int)
        case literal(String)
        case dateTime(String)
    }

    let subject: Term
    let predicate: String
    let object: Term

    /// Canonical N-Quads line (RDF dataset canonicalisation, §4.2), blank nodes named by `label`.
    func line(_ label: (Int) -> String) -> String {
        "\(Self.text(subject, label)) <\(predicate)> \(Self.text(object, label)) .\n"
    }

    private static func text(_ term: Term, _ label: (Int) -> String) -> String {
        switch term {
        case .iri(let iri): "<\(iri)>"
        case .blank(let node): label(node)
        case .literal(let value): "\"\(escaped(value))\""
        case .dateTime(let value): "\"\(escaped(value))\"^^<http://www.w3.org/2001/XMLSchema#dateTime>"
        }
    }

    /// Canonical N-Quads escapes exactly these four characters.
    private static func escaped(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\\": result += "\\\\"
            case "\"": result += "\\\""
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}
