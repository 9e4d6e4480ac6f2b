public import Token

/// A private data object per name: `CKO_DATA` (PKCS #11 2.40 base, 4.6), readable and replaceable only after login.
///
/// Who is not logged in can make public objects of any label on many tokens, so only private ones count.
///
/// Its value is a generation (8 bytes, big-endian), which is the counter, and the value. A new object is made before the old
/// one is destroyed, and the highest generation counts; a token that refuses to destroy gets few of them. The label does not
/// begin like those of the daemon's keys, so neither a sweep nor the lint takes it for one.
extension PKCS11Token: RollbackProtectedStorage {
    public func keptValue(_ name: String) async throws(HSMError) -> KeptValue {
        let label = try label(name)
        return try await performSerialised { (session, _) throws(HSMError) in
            let last = try Self.kept(label, session).last
            return KeptValue(value: last.map { Array($0.value.dropFirst(8)) }, counter: last?.generation ?? 0)
        }
    }

    @discardableResult
    public func keep(_ value: [UInt8], as name: String) async throws(HSMError) -> UInt64 {
        guard value.count <= KeptValue.longest else {
            throw HSMError(.invalidArgument, "A value to keep has at most \(KeptValue.longest) bytes.")
        }
        let label = try label(name)
        return try await performSerialised { (session, _) throws(HSMError) in
            var old = try Self.kept(label, session)
            // The last one counts. Others are there only if the token did not destroy them; it has to before there are many.
            while old.count > Self.mostKept {
                do throws(HSMError) { try session.destroy(old[0].handle) } catch {
                    throw HSMError(
                        .mechanismUnsupported,
                        "This token destroys no data objects, so it cannot remember anything further: \(error.message)")
                }
                old.removeFirst()
            }
            let (generation, isOver) = (old.last?.generation ?? 0).addingReportingOverflow(1)
            guard !isOver else {
                throw HSMError(.deviceFailure, "The token's object '\(label)' cannot be counted further.")
            }
            let bytes = withUnsafeBytes(of: generation.bigEndian) { Array($0) } + value
            do throws(HSMError) {
                _ = try session.create(.keptValue(bytes, label: label))
            } catch {
                guard let cause = error.returnValue, cause.saysCannot else { throw error }
                throw HSMError(
                    .mechanismUnsupported,
                    "This token keeps no private data objects (\(cause)), so it cannot remember anything.")
            }
            // The new one counts from here on whatever becomes of the others. A failure told here would be tried again, and make
            // one more object each time.
            for object in old {
                do throws(HSMError) { try session.destroy(object.handle) } catch { break }
            }
            return generation
        }
    }

    public func keepAnew(_ value: [UInt8], as name: String) async throws(HSMError) -> UInt64 {
        try await keep(value, as: name)
    }

    /// Objects of one name that are left before a new one is made.
    private static let mostKept = 4

    private func label(_ name: String) throws(HSMError) -> String {
        guard let instance = manifest?.instance else {
            throw HSMError(.keyMissing, "The token is not provisioned; run `kmsd init`.")
        }
        return "kmsd-kept/\(instance)/\(name)"
    }

    private static func kept(
        _ label: String, _ session: borrowing Session
    ) throws(HSMError) -> [(generation: UInt64, value: [UInt8], handle: ObjectHandle)] {
        var found: [(generation: UInt64, value: [UInt8], handle: ObjectHandle)] = []
        for handle in try session.find([.objectClass(.data), .flag(.token, true), .flag(.private, true), .label(label)])
        {
            guard let value = try session.attribute(.value, of: handle), value.count >= 8 else {
                throw HSMError(.deviceFailure, "The token's object '\(label)' does not have the form it was given.")
            }
            found.append((value.prefix(8).reduce(0) { $0 << 8 | UInt64($1) }, value, handle))
        }
        return found.sorted { $0.generation < $1.generation }
    }
}
