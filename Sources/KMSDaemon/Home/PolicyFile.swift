import Foundation
import KMSConfiguration
import TPMBridge
import Token

/// `pcr-policy.json` in the home directory: the approved states of keys that are bound to PCRs.
struct PolicyFile: TPMPolicyStore {
    let home: String

    private var path: String { home + "/pcr-policy.json" }
    private static let longest = 128 << 10

    func read() throws(HSMError) -> TPMPolicyRecord? {
        do {
            guard let data = try DurableFile.contents(of: path) else { return nil }
            guard data.count <= Self.longest else {
                throw ConfigurationError("it is longer than \(Self.longest) bytes")
            }
            return try JSONDecoder().decode(TPMPolicyRecord.self, from: data)
        } catch {
            throw HSMError(
                .configurationRefused,
                "'\(path)' cannot be used: \(PlainReason.of(error)). Restore it from the backup")
        }
    }

    func write(_ record: TPMPolicyRecord) throws(HSMError) {
        do {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
            try DurableFile.store(try encoder.encode(record) + [0x0a], at: path, in: home)
        } catch {
            throw HSMError(.configurationRefused, "'\(path)' cannot be written: \(PlainReason.of(error))")
        }
    }
}
