import Encodings
import HybridSealing
import OutboundHTTP
import SecretMemory

@testable import EnclaveLock
@testable import RemoteLocks

extension FuzzTarget {
    /// Lock records, envelopes, shares, and what the servers behind remote locks answer.
    static let locks = [
        FuzzTarget("lock-record", longest: 1024) { bytes throws(FuzzFinding) in
            guard let record = parsed({ try LockRecord(decoding: bytes) }) else { return }
            let again = try accepted("a printed record") { try LockRecord(decoding: try record.encoded()) }
            try claim(again == record, "a lock record does not survive printing")
            try claim(record.slots.allSatisfy { $0.id > 0 }, "a slot without number")
        },
        FuzzTarget("lock-slots", longest: 8192) { bytes throws(FuzzFinding) in
            guard let record = parsed({ try RecoveryRecord(decoding: bytes) }) else { return }
            let again = try accepted("a printed list") { try RecoveryRecord(decoding: try record.encoded()) }
            try claim(again == record, "a list of lock slots does not survive printing")
            try claim(
                record.slots.allSatisfy { $0.id > 0 && $0.id < record.next }, "a slot has a number that will be given")
            let lock = try accepted("a lock") { try RecoveryLock(record: record, openers: []) }
            let identity = RecordIdentity(tenant: "", keystore: "", key: "", type: "keystore-lock-key", version: 1)
            guard let key = filled(3) else { return }
            let secret = SharedSecret(key)
            let sealed = waiting { try? await lock.seal(secret, identity: identity) }
            try claim(sealed == nil, "something is sealed to a public key that nobody proved")
        },
        FuzzTarget("lock-slot-recipient", longest: 2100) { bytes throws(FuzzFinding) in
            guard let key = parsed({ try HybridRecipient(text: text(bytes)) }) else { return }
            try claim(same(key.text ?? "", text(bytes).asciiLowercased()), "a recipient has two spellings")
            let again = try accepted("a printed recipient") { try HybridRecipient(key.bytes) }
            try claim(again == key, "a recipient does not survive printing")
        },
        FuzzTarget("envelope", longest: 512) { bytes throws(FuzzFinding) in
            guard let lockKey = filled(7), let other = filled(8) else { return }
            let identity = RecordIdentity(tenant: "t", keystore: "k", key: "i", type: "ED25519", version: 1)
            let forged = parsed { SharedSecret(try Envelope.open(bytes, lockKey: lockKey, identity: identity)) }
            try claim(forged == nil, "a forged envelope opens")
            guard let secret = locked(bytes) else { return }
            let sealed = try accepted("sealing") { try Envelope.seal(secret, lockKey: lockKey, identity: identity) }
            let opened = try accepted("opening") {
                SharedSecret(try Envelope.open(sealed, lockKey: lockKey, identity: identity))
            }
            try claim(opened.withUnsafeBytes { $0.elementsEqual(bytes) }, "an envelope does not come back")
            let foreign = parsed { SharedSecret(try Envelope.open(sealed, lockKey: other, identity: identity)) }
            try claim(foreign == nil, "an envelope opens with another key")
        },
        // Two shares of the same length, one behind the other.
        FuzzTarget("shares", longest: 2100) { bytes throws(FuzzFinding) in
            let half = bytes.count / 2
            guard let first = locked(Array(bytes.prefix(half))), let second = locked(Array(bytes.dropFirst(half)))
            else { return }
            let (one, other) = (SharedSecret(first), SharedSecret(second))
            let combined = parsed { SharedSecret(try ShamirShares.combine(one, other)) }
            let turned = parsed { SharedSecret(try ShamirShares.combine(other, one)) }
            try claim((combined == nil) == (turned == nil), "shares combine in one order only")
            guard let combined, let turned else { return }
            try claim(combined.count == one.count - 1, "a secret of another length")
            try claim(
                combined.withUnsafeBytes { a in turned.withUnsafeBytes { a.elementsEqual($0) } },
                "the order of shares matters")
        },
        // The first byte chooses the status, the rest is the body.
        FuzzTarget("aws-answer", longest: 1024) { bytes throws(FuzzFinding) in
            guard let lock = awsLock(Answering(bytes)), let first = bytes.first else { return }
            let identity = RecordIdentity(tenant: "t", keystore: "k", key: "", type: "keystore-lock-key", version: 1)
            let opened = waiting { try? await lock.open([1, 2, 3], identity: identity) }
            try claim(opened == nil || first % 4 != 0, "a failure of the service opens a lock")
            try claim((opened?.count ?? 1) <= 3 * 4096, "an answer of any length is held")
        },
        FuzzTarget("auth-server-answer", longest: 1024) { bytes throws(FuzzFinding) in
            guard let token = filled(1), let first = bytes.first else { return }
            let server = AuthServer(
                url: "https://auth.example", token: SharedSecret(token), outbound: Answering(bytes), timeToLive: .zero)
            let share = waiting { try? await server.share(of: "alice") }
            try claim(share == nil || first % 4 != 0, "a failure of the server is a share")
            try claim(share.map { (2...1025).contains($0.count) } ?? true, "a share of an impossible length")
        },
        FuzzTarget("aws-names", longest: 512) { bytes throws(FuzzFinding) in
            if let uri = parsed({ try AWSKeyURI(parsing: text(bytes)) }) {
                try claim(same("aws-kms://" + uri.arn, text(bytes)), "an ARN has two spellings")
                try claim(
                    uri.region.utf8.allSatisfy { $0 != UInt8(ascii: "/") && $0 != UInt8(ascii: ".") },
                    "a region is more than a label of a host's name")
            }
            guard let secret = locked(bytes), let credentials = parsed({ try AWSCredentials(reading: secret) }) ?? nil
            else { return }
            try claim(
                credentials.accessKey.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F }, "an access key breaks its header")
        },
    ]

    private static func filled(_ byte: UInt8) -> SecretBytes? {
        locked([UInt8](repeating: byte, count: 32))
    }

    private static func awsLock(_ outbound: Answering) -> AWSKMSLock? {
        guard let secret = filled(2),
            let uri = parsed({
                try AWSKeyURI(parsing: "aws-kms://arn:aws:kms:eu-central-1:123456789012:key/1234")
            })
        else { return nil }
        return AWSKMSLock(
            key: uri, endpoint: nil,
            credentials: AWSCredentials(accessKey: "AKIA", secretKey: SharedSecret(secret)), outbound: outbound)
    }
}

/// Another server that says what it is told to.
private struct Answering: OutboundSending {
    let answer: OutboundAnswer

    init(_ bytes: [UInt8]) {
        let status = [500, 200, 400, 200][Int((bytes.first ?? 0) % 4)]
        answer = OutboundAnswer(status: (bytes.first ?? 0) % 4 == 0 ? 500 : status, body: Array(bytes.dropFirst()))
    }

    func send(_ request: OutboundRequest) async throws(OutboundError) -> OutboundAnswer { answer }
}
