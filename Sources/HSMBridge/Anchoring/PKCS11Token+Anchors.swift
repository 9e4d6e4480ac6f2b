import Encodings
internal import Synchronization
package import Token

/// Scalars of CurveFp254BNb in the token.
extension PKCS11Token: AnchorMultiplying {
    package func importAnchor(
        asTokenObject: Bool, _ send: @escaping AnchorDelivery.Sender
    ) async throws(HSMError) -> AnchorBlob {
        if asTokenObject {
            return try await performSerialised { (session, connection) throws(HSMError) in
                try AnchorFactory.importObject(send, instance: try connection.anchorInstance(), session: session)
            }
        }
        return try await perform { (session, connection) throws(HSMError) in
            try AnchorFactory.importWrapped(
                send, session: session, wrappingKey: try connection.key(.residentWrap).hot)
        }
    }

    package func multiply(
        _ points: [[UInt8]], by anchor: AnchorBlob
    ) async throws(HSMError) -> [[UInt8]] {
        guard anchor.identifier.count == 16, points.allSatisfy({ $0.count == 65 && $0[0] == 4 }) else {
            throw HSMError(.invalidArgument, "An anchor multiplies points of 65 bytes and has a name of 16.")
        }
        switch anchor.storage {
        case .wrapped(let wrapped): return try await multiply(points, by: anchor, wrapped)
        case .object: return try await multiply(points, byObject: anchor.identifier)
        }
    }

    package func forgetAnchor(_ anchor: AnchorBlob) async {
        // Nothing to forget on a token that is away: its session objects are gone with the sessions.
        try? await perform { (session, connection) throws(HSMError) in
            _ = connection.anchorObjects.withLock { $0.removeValue(forKey: anchor.identifier) }
            if let handle = connection.anchors.forget(anchor.identifier) { try session.destroy(handle) }
        }
    }

    package func destroyAnchor(_ anchor: AnchorBlob) async throws(HSMError) {
        await forgetAnchor(anchor)
        guard anchor.storage == .object else { return }
        try await performSerialised { (session, connection) throws(HSMError) in
            let instance = try connection.anchorInstance()
            guard let object = try AnchorFactory.find(anchor.identifier, instance: instance, session: session)
            else { return }
            try session.destroy(object)
        }
    }

    // MARK: Use

    private func multiply(
        _ points: [[UInt8]], by anchor: AnchorBlob, _ wrapped: [UInt8]
    ) async throws(HSMError) -> [[UInt8]] {
        try await perform { (session, connection) throws(HSMError) in
            let handle = try Self.handle(of: anchor, wrapped, session, connection)
            defer {
                // Eviction is not the request's business: what cannot be destroyed dies with the keeper session.
                for victim in connection.anchors.release(anchor.identifier, handle) { try? session.destroy(victim) }
            }
            return try AnchorFactory.multiply(points, by: handle, session: session)
        }
    }

    private static func handle(
        of anchor: AnchorBlob, _ wrapped: [UInt8], _ session: borrowing Session, _ connection: Connection
    ) throws(HSMError) -> ObjectHandle {
        if let handle = try connection.anchors.acquire(anchor) { return handle }
        let wrappingKey = try connection.key(.residentWrap).hot
        let fresh = try connection.withKeeper { (keeper) throws(HSMError) in
            try AnchorFactory.unwrap(
                wrapped, identifier: anchor.identifier, keeper: keeper, wrappingKey: wrappingKey)
        }
        let (handle, victims) = connection.anchors.insert(fresh, for: anchor)
        for victim in victims { try? session.destroy(victim) }
        return handle
    }

    /// A handle belongs to one login generation, which may end between looking it up and using it: then again.
    private func multiply(
        _ points: [[UInt8]], byObject identifier: [UInt8]
    ) async throws(HSMError) -> [[UInt8]] {
        for _ in 0..<3 {
            let products: [[UInt8]]? = try await perform { (session, connection) throws(HSMError) in
                guard let handle = connection.anchorObjects.withLock({ $0[identifier] }) else { return nil }
                return try AnchorFactory.multiply(points, by: handle, session: session)
            }
            if let products { return products }
            try await performSerialised { (session, connection) throws(HSMError) in
                let instance = try connection.anchorInstance()
                guard let handle = try AnchorFactory.find(identifier, instance: instance, session: session) else {
                    throw HSMError(.keyMissing, "The token does not hold the anchor \(Hexadecimal.encode(identifier)).")
                }
                connection.anchorObjects.withLock { $0[identifier] = handle }
            }
        }
        throw HSMError(.tokenUnavailable, "The login to the token ended three times while an anchor was looked up.")
    }
}

extension Connection {
    /// The instance that names the token objects of anchors.
    fileprivate func anchorInstance() throws(HSMError) -> String {
        guard let manifest else {
            throw HSMError(.configurationRefused, "Anchors need a token that is provisioned.")
        }
        return manifest.instance
    }
}
