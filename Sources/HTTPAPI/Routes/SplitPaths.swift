import Encodings

/// Which paths belong to the split-key API, whether they name a route or not.
enum SplitPaths {
    static func contain(_ path: Substring) -> Bool {
        ["/zvault", "/zauth"].contains { path.isExactly($0) || path.startsExactly(with: $0 + "/") }
    }
}
