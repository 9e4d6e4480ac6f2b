/// The words of a statement that decide something; as the API's metadata spells them.
enum Origin {
    static let bornInToken = "born-in-token"
    static let bornInDaemon = "born-in-daemon"
    static let imported = "imported"
    static let migrated = "migrated"
    static let resident = "resident"
    static let sealed = "sealed"
}
