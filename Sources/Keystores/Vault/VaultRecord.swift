import Foundation

/// A keystore's vault as stored with the keystore's row, which authenticates it; see `docs/FORMATS.md`.
struct VaultRecord: Codable, Sendable, Hashable {
    static let currentVersion = 1

    var version: Int
    var url: String
    /// JSON of the capability, empty while it is awaited; base64 here.
    var capability: Data
    /// The daemon's key that the capability names.
    var invoker: String
    /// Envelopes under the keystore's lock key.
    var recipientKey: Data
    var macKey: Data

    var awaitsCapability: Bool { capability.isEmpty }

    var location: VaultLocation { VaultLocation(url: url, capability: [UInt8](capability)) }

    /// JSON with sorted members and no white space.
    func encoded() throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return [UInt8](try encoder.encode(self))
    }

    /// Reads authenticated bytes.
    init(decoding bytes: [UInt8]) throws {
        self = try JSONDecoder().decode(VaultRecord.self, from: Data(bytes))
        guard version == Self.currentVersion else {
            throw KMSError(.internal, "A keystore's vault record is of a format this version does not know.")
        }
    }

    init(location: VaultLocation, invoker: String, recipientKey: [UInt8], macKey: [UInt8]) {
        version = Self.currentVersion
        url = location.url
        capability = Data(location.capability)
        self.invoker = invoker
        self.recipientKey = Data(recipientKey)
        self.macKey = Data(macKey)
    }
}
