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

    mutating func leave(_ kind: String, _ id: String, _ reason: String) {
        leftBehind.append(Item(kind: kind, id: id, reason: reason))
    }

    var text: String {
        var lines = [
            "\(keystores) keystores and \(keys) keys imported, \(alreadyHere) already here, \(serversOwn) records of the "
                + "server's own, \(passedOver) lines of other stores."
        ]
        lines += leftBehind.map { "left behind: \($0.kind) \($0.id): \($0.reason)" }
        return lines.joined(separator: "\n")
    }
}
