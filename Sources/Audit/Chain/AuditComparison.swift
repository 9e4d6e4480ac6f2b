import Encodings
public import Token

/// What an operator gives up who takes a chain for the one to go on with: the head that the token keeps beside the one that
/// is found. Made without writing anything.
public struct AuditComparison: Sendable, Encodable {
    /// The end of a chain.
    public struct End: Sendable, Encodable {
        public var index: UInt64
        /// Hexadecimal.
        public var hash: String
        /// Milliseconds since 1970; nil if nobody tells.
        public var time: Int64?
        public var revocations: UInt64
        /// Epochs of the databases, by the file's name.
        public var databases: [String: UInt64]  // exact: the names are this program's own, in ASCII.

        init(_ head: AuditHead, time: Int64?) {
            index = head.position.index
            hash = Hexadecimal.encode(head.position.hash)
            self.time = time
            revocations = head.epoch
            databases = head.sealed.merging([WatchedStore.keystores: head.storeEpoch]) { max($0, $1) }
        }
    }

    /// What the token keeps; nil for nothing.
    public var kept: End?
    /// Where the file ends; nil if there is no chain.
    public var found: End?
    /// Why what the token keeps could not be read.
    public var unread: String?
    /// Records of the kept chain that the file does not have, as far as can be told.
    public var givenUp: UInt64 = 0
    /// Revocations that the file does not have.
    public var revocationsGivenUp: UInt64 = 0
    /// Whether the file goes on from the head that is kept.
    public var goesOn = true
    /// Whether there is a file and no record in it although the token was told of some: the daemon takes none out of the last
    /// part of a chain, so somebody else did.
    public var isEmptied = false
    /// Whether the file was begun after the head that is kept was made: what was there before was lost or emptied, and it is no
    /// older copy of it. Told by times, so for words only.
    public var isBegunAnew = false
    /// Whether the token counted less than when the file was last signed: its own state is an older copy.
    public var isTokenOlder = false

    /// - Parameter path: The chain's file; it need not be there.
    public init(path: String, exists: Bool, token: any RollbackProtectedStorage) async throws {
        let remembered: AuditHead?
        var counter: UInt64?
        do throws(HSMError) {
            let kept = try await AuditNotary.remembered(by: token)
            remembered = kept.head
            counter = kept.counter
        } catch {
            // Somebody else wrote it, or put it back; whatever else fails is told.
            guard error.code == .keptValueMismatch || error.code == .deviceFailure else { throw error }
            remembered = nil
            unread = error.message
        }
        var counterpart: (hash: [UInt8], time: Int64)?
        var begun: Int64?
        if exists {
            let reader = try AuditReader(path: path, isDatabase: true)
            found = try reader.lastHead().map { End($0, time: $0.time) }
            begun = try reader.record(at: 1)?.0.time
            if let counter { isTokenOlder = try counter < reader.lastCounter() }
            if let remembered, let (record, hash) = try reader.record(at: remembered.position.index) {
                counterpart = (hash, record.time)
            }
        }
        isEmptied = exists && found == nil && (remembered != nil || unread != nil)
        guard let remembered else { return }
        goesOn = counterpart?.hash == remembered.position.hash
        kept = End(remembered, time: remembered.time ?? (goesOn ? counterpart?.time : nil))
        if !goesOn {
            if let begun, let time = remembered.time { isBegunAnew = begun > time }
            let last = isBegunAnew ? 0 : found?.index ?? 0
            // Of another chain nobody can tell how much the two have in common.
            givenUp = last < remembered.position.index ? remembered.position.index - last : remembered.position.index
            let revocations = isBegunAnew ? 0 : found?.revocations ?? 0
            revocationsGivenUp = remembered.epoch > revocations ? remembered.epoch - revocations : 0
        }
    }

    /// For the record of the act.
    public var details: [String: String] {  // exact: the names are this program's own, in ASCII.
        var details = ["given-up": "\(givenUp)", "revocations-given-up": "\(revocationsGivenUp)"]
        for (name, end) in [("kept", kept), ("found", found)] {
            details[name + "-index"] = end.map { "\($0.index)" } ?? "none"
            guard let end else { continue }
            details[name + "-hash"] = end.hash
            if let time = end.time { details[name + "-time"] = "\(time)" }
            details[name + "-revocations"] = "\(end.revocations)"
        }
        return details
    }
}

extension AuditReader {
    /// What the last record tells of the chain's end, without its hash over the revocations; nil for no record.
    public func lastHead() throws(AuditError) -> AuditHead? {
        guard let (record, hash) = try record(at: try lastIndex()) else { return nil }
        var head = AuditHead(
            position: AuditPosition(index: record.index, hash: hash), epoch: record.epoch,
            revocations: AuditRecord.origin)
        head.carry(record)
        head.time = record.time
        return head
    }

    /// The record at an index with its hash; nil if there is none.
    func record(at index: UInt64) throws(AuditError) -> (AuditRecord, [UInt8])? {
        guard case .record(let record, let hash)? = try records(from: index, limit: 1).first, record.index == index
        else { return nil }
        return (record, hash)
    }
}
