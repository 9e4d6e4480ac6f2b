import Encodings
public import Foundation

/// A dump of a TrustBloc server's stores: one JSON object a line, `{"store":…,"key":…,"value":…}`, the value being
/// standard base64 of what the store holds.
///
/// Read are the stores `keystores`, `kmsdb` and `zcaps`, whatever prefix their database had; lines of others count and
/// are passed over.
public struct TrustBlocDump: Sendable {
    /// A keystore's record.
    public struct Keystore: Sendable {
        public var id: String
        public var controller: String
        /// Under which its main key is among ``TrustBlocDump/keys``; empty for one that is locked by shares.
        public var mainKeyID: String
        /// Milliseconds since 1970; nil if the record has no date that is understood.
        public var createdAt: Int64?
        /// Whether its keys are in a vault of the user's and not in this dump.
        public var hasVault: Bool
        /// That vault; nil if the record does not say enough of it.
        public var vault: Vault?
        /// The root capability's document.
        public var capability: [UInt8]?
    }

    /// Where the keys of a keystore are that are not in the dump.
    public struct Vault: Sendable {
        public var url: String
        /// JSON of the capability that was delegated to a key of the server's.
        public var capability: [UInt8]
        /// Under which the server's own keys for it are among ``TrustBlocDump/keys``.
        public var recipientKeyID: String
        public var macKeyID: String
    }

    /// Longest line and longest file, in bytes.
    public static let longestLine = 1 << 20
    public static let longestFile = 1 << 30

    /// In the order of their ids, so that a second run meets them in the same order.
    public private(set) var keystores: [Keystore] = []
    /// Key id and record.
    public private(set) var keys: [(id: String, record: [UInt8])] = []
    /// Lines of other stores.
    public private(set) var passedOver = 0

    /// - Throws: ``TrustBlocError`` naming the line.
    public init(reading text: Data) throws(TrustBlocError) {
        var capabilities: [ExactText: [UInt8]] = [:]
        var seen: Set<ExactText> = []
        var number = 0
        for line in text.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
            number += 1
            if line.allSatisfy({ $0 == 0x20 || $0 == 0x0D || $0 == 0x09 }) { continue }
            func wrong(_ reason: String) -> TrustBlocError { TrustBlocError(.damaged, "line \(number): \(reason)") }
            guard line.count <= Self.longestLine else { throw wrong("longer than \(Self.longestLine) bytes") }
            guard let node = try? JSONNode(reading: [UInt8](line)), let store = node["store"]?.text,
                let key = node["key"]?.text, let value = node["value"]?.text
            else { throw wrong("expected {\"store\":…,\"key\":…,\"value\":…} with three texts") }
            guard let bytes = Base64.decode(value) else { throw wrong("'value' is not standard base64") }
            guard seen.insert(ExactText(store + "\u{0}" + key)).inserted else {
                throw wrong("the key is in the store twice")
            }
            switch store {
            case _ where store.endsExactly(with: "keystores"):
                guard let keystore = Keystore(key: key, json: bytes) else { throw wrong("no keystore's record") }
                keystores.append(keystore)
            case _ where store.endsExactly(with: "kmsdb"): keys.append((key, bytes))
            case _ where store.endsExactly(with: "zcaps"): capabilities[ExactText(key)] = bytes
            default: passedOver += 1
            }
        }
        for index in keystores.indices {
            // The root capability is stored under the keystore's URL.
            let end = "/keystores/" + keystores[index].id
            keystores[index].capability = capabilities.first { $0.key.text.endsExactly(with: end) }?.value
        }
        keystores.sort { ExactText($0.id) < ExactText($1.id) }
        keys.sort { ExactText($0.id) < ExactText($1.id) }
    }
}

extension TrustBlocDump.Keystore {
    fileprivate init?(key: String, json: [UInt8]) {
        guard let node = try? JSONNode(reading: json), let id = node["id"]?.text, id.isExactly(key),
            let controller = node["controller"]?.text
        else { return nil }
        let date = node["created_at"]?.text
        let edv = node["edv"]?["vault_url"]?.text == "" ? nil : node["edv"]
        self.init(
            id: id, controller: controller, mainKeyID: node["main_key_id"]?.text ?? "",
            createdAt: date.flatMap { Self.milliseconds($0) }, hasVault: edv != nil,
            vault: edv.flatMap { TrustBlocDump.Vault($0) }, capability: nil)
    }

    /// RFC 3339, with a fraction or without.
    private static func milliseconds(_ text: String) -> Int64? {
        let whole = text.splitExactly(at: ".", maxSplits: 1)
        // Go writes nanoseconds; dates here have milliseconds, and the whole second is enough of a creation's date.
        let zone = text.endsExactly(with: "Z") ? "Z" : text.suffix(6)
        let plain = whole.count == 2 ? whole[0] + zone : Substring(text)
        guard let date = try? Date(String(plain), strategy: .iso8601) else { return nil }
        let seconds = date.timeIntervalSince1970
        return (0...253_402_300_799).contains(seconds) ? Int64(seconds) * 1000 : nil
    }
}

extension TrustBlocDump.Vault {
    fileprivate init?(_ node: JSONNode) {
        guard let url = node["vault_url"]?.text, let recipient = node["recipient_key_id"]?.text,
            let mac = node["mac_key_id"]?.text, let text = node["capability"]?.text,
            let capability = Base64.decode(text, .either)
        else { return nil }
        self.init(url: url, capability: capability, recipientKeyID: recipient, macKeyID: mac)
    }
}
