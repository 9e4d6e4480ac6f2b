public import Token

/// Looking at a token without using its keys.
extension PKCS11Token {
    /// Proves what the token can do, with throw-away session objects; about a second on a soft token.
    ///
    /// - Parameter writes: Whether token objects are made, too, and destroyed: one of each template of provisioning.
    /// - Throws: `.tokenUnavailable` and the like if there is no session; a capability that fails is in the report.
    /// - Concurrency: serialised with provisioning; requests go on beside it.
    public func probe(writes: Bool = false) async throws(HSMError) -> ProbeReport {
        try await look { (_, connection) throws(HSMError) in
            try TokenProbe.report(identity: connection.identity, writes: writes) { () throws(HSMError) in
                try connection.openSession(.readWrite)
            }
        }
    }

    /// Grades every token object and names what is wrong with it.
    ///
    /// - Parameter expected: What the daemon recorded; nil takes the configuration's manifest, without which no object
    ///   counts as managed. A token whose keys do not match its manifest is not served, so to inspect one, connect
    ///   without a manifest and pass it here.
    /// - Concurrency: serialised with provisioning; reads every object, so milliseconds per object on a soft token.
    public func lint(against expected: TokenManifest? = nil) async throws(HSMError) -> LintReport {
        let manifest = expected ?? manifest
        let supervisor = supervisor
        return try await look { (session, connection) throws(HSMError) in
            let history = try KeyHistory.probe(session)
            let reading = try ObjectSnapshot.all(session)
            if let loss = reading.loss {
                supervisor.lose(HSMError.outOfReach(loss), generation: connection.generation)
            }
            return TokenLint.report(
                reading.snapshots, token: connection.identity, manifest: manifest, history: history)
        }
    }

    /// Work that changes nothing and so may be done again when the connection was renewed under it.
    private func look<R: Sendable>(
        _ body: @escaping @Sendable (borrowing Session, Connection) throws(HSMError) -> R
    ) async throws(HSMError) -> R {
        for _ in 1..<Self.looks {
            do throws(HSMError) {
                return try await performSerialised(body)
            } catch {
                guard error.isLostSession else { throw error }
            }
            try await waitUntilReady(timeout: configuration.callTimeout)
        }
        return try await performSerialised(body)
    }

    private static var looks: Int { 4 }
}
