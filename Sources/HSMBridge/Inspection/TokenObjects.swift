import Encodings
public import Token

/// Whose the objects on a token are, by their labels.
public enum TokenObjects {
    private static let prefixes = [
        "kmsd/", "kmsd-kept/", "kmsd-anchor/",
    ]

    /// Whether some kmsd made an object of this label, this one or another.
    public static func isOfAnyDaemon(_ label: String) -> Bool {
        isOfACopy(label) || isOfAProbe(label) || prefixes.contains { label.startsExactly(with: $0) }
    }

    /// Whether an interrupted probe left it.
    public static func isOfAProbe(_ label: String) -> Bool { TokenProbe.isLabel(label) }

    /// Whether an interrupted copy left it.
    public static func isOfACopy(_ label: String) -> Bool { label.isExactly(CopySide.mark) }

    /// Whether the daemon of `instance` made it.
    public static func isOf(_ instance: String, _ label: String) -> Bool {
        prefixes.contains { label.startsExactly(with: $0 + instance + "/") }
    }
}

extension PKCS11Token {
    /// How many objects on the token are not this instance's: a token with any is shared, and whoever uses it sees the
    /// daemon's keys.
    public func strangers(besides instance: String) async throws(HSMError) -> Int {
        try await performSerialised { (session, _) throws(HSMError) in
            var count = 0
            for object in try session.find([.flag(.token, true)]) {
                let label = try? session.text(.label, of: object)
                if !TokenObjects.isOf(instance, (label ?? nil) ?? "") { count += 1 }
            }
            return count
        }
    }
}
