import Encodings

/// Which identifiers and texts are accepted; checked before any lookup.
enum IdentifierRules {
    /// In bytes.
    private static let longestController = 1024

    static func checkKeystore(_ id: String) throws(KMSError) {
        guard (1...64).contains(id.utf8.count), id.utf8.allSatisfy({ isWord($0) }) else {
            throw KMSError(.invalidArgument, "A keystore id has 1 to 64 letters, digits, '-' and '_'.")
        }
    }

    static func checkKey(_ id: String) throws(KMSError) {
        let bytes = id.utf8
        guard (1...128).contains(bytes.count), bytes.allSatisfy({ isWord($0) || $0 == UInt8(ascii: ".") }),
            !id.isExactly("."), !id.isExactly("..")
        else {
            throw KMSError(.invalidArgument, "A key id has 1 to 128 letters, digits, '-', '_' and '.'.")
        }
    }

    static func checkController(_ controller: String) throws(KMSError) {
        guard !controller.isEmpty else { throw KMSError(.invalidArgument, "controller must be non-empty") }
        guard controller.utf8.count <= longestController else {
            throw KMSError(.invalidArgument, "controller must have at most \(longestController) bytes")
        }
        if let problem = NamingText.problem(controller, limit: longestController) {
            throw KMSError(.invalidArgument, "controller \(problem)")
        }
    }

    /// A page's bounds.
    static func checkPage(after: String?, limit: Int) throws(KMSError) {
        guard (1...1000).contains(limit) else {
            throw KMSError(.invalidArgument, "A page has 1 to 1000 entries.")
        }
        guard after.map({ $0.isEmpty || NamingText.problem($0, limit: 128) == nil }) ?? true else {
            throw KMSError(.invalidArgument, "The page's start is not an id.")
        }
    }

    private static func isWord(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
            true
        default: false
        }
    }
}
