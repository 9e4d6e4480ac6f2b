/// Looking at a token without using its keys.
extension PKCS11Token {
    /// Proves what the token can do, with throw-away session objects; about a second on a soft token.
    ///
    /// - Throws: `.tokenUnavailable` and the like if there is no session; a capability that fails is in the report.
    /// - Concurrency: serialised with provisioning; requests go on beside it.
    public func probe() async throws(HSMError) -> ProbeReport {
        try await performSerialised { (_, connection) throws(HSMError) in
            try TokenProbe.report(identity: connection.identity) { () throws(HSMError) in
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
        return try await performSerialised { (session, connection) throws(HSMError) in
            var snapshots: [ObjectSnapshot] = []
            for object in try session.find([.flag(.token, true)]) {
                snapshots.append(try ObjectSnapshot.read(object, session))
            }
            return TokenLint.report(snapshots, token: connection.identity, manifest: manifest)
        }
    }
}
