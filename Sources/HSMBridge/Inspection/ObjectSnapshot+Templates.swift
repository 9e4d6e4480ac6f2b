internal import CP11Kit
import Token

/// Every object of a token, and last what some modules do not survive being asked for.
extension ObjectSnapshot {
    /// What was read, and what the last questions cost.
    struct Reading: Sendable {
        var snapshots: [ObjectSnapshot] = []
        /// The module's answer to the question that ended the connection; nothing can be asked on it any more.
        var loss: HSMError?
    }

    /// Reads every token object.
    ///
    /// The process of p11-kit's server that serves us (0.24) dies when it is asked for CKA_UNWRAP_TEMPLATE. So that is
    /// asked last, only of keys that may unwrap and of none after the first that ended the connection.
    static func all(_ session: borrowing Session) throws(HSMError) -> Reading {
        var reading = Reading()
        var unwrapping: [(index: Int, object: ObjectHandle)] = []
        for object in try session.find([.flag(.token, true)]) {
            do throws(HSMError) {
                let snapshot = try ObjectSnapshot.read(object, session)
                if snapshot.mayUnwrap { unwrapping.append((reading.snapshots.count, object)) }
                reading.snapshots.append(snapshot)
            } catch {
                // Another process may destroy an object between the search and the reading.
                guard error.returnValue?.recovery == .reResolve else { throw error }
            }
        }
        for (index, object) in unwrapping {
            guard reading.loss == nil else {
                reading.snapshots[index].unread.append(
                    Unread(type: .unwrapTemplate, answer: "not asked, for the question ended the connection before"))
                continue
            }
            do throws(HSMError) {
                try reading.snapshots[index].readUnwrapTemplate(object, session)
            } catch {
                guard let value = error.returnValue, endings.contains(value.rawValue) else { throw error }
                reading.snapshots[index].unread.append(
                    Unread(type: .unwrapTemplate, answer: "\(value.name), and the connection ended"))
                reading.loss = error
            }
        }
        return reading
    }

    private var mayUnwrap: Bool { isSecret && (has(.unwrap) || !isRead(.unwrap)) }

    private mutating func readUnwrapTemplate(
        _ object: ObjectHandle, _ session: borrowing Session
    ) throws(HSMError) {
        hasUnwrapTemplate =
            try noting(.unwrapTemplate, object, session) { (session) throws(HSMError) in
                try session.length(.unwrapTemplate, of: object)
            } ?? 0 > 0
    }

    /// How the end of a remote module's process looks from here.
    private static let endings: Set<UInt> = [
        UInt(CKR_DEVICE_ERROR), UInt(CKR_DEVICE_REMOVED), UInt(CKR_TOKEN_NOT_PRESENT),
    ]
}
