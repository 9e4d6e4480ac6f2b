import Token

/// The ways by which secret and private keys can travel between two tokens, wrapped all the way.
///
/// What the ways need (a pair of the target, a transport key) is made when the first key asks for it.
struct KeyRoutes {
    /// One way for one key.
    struct Route {
        let name: String
        let source: Mechanism
        let target: Mechanism
        /// Wrapped under the transport key, or else under the target's RSA pair itself.
        let isUnderTransportKey: Bool
    }

    private let source: CopySide
    private let target: CopySide
    private var pair: Result<TransportPair, HSMError>?
    private var transport: (key: TransportKey?, failures: [String])?

    init(_ source: CopySide, _ target: CopySide) {
        self.source = source
        self.target = target
    }

    var transportName: String? { transport?.key?.name }

    /// The ways for a key, the best first; what keeps others away is noted.
    ///
    /// - Throws: What ends the copy.
    mutating func candidates(
        for key: CopiedObject, _ failures: inout [String]
    ) throws(HSMError) -> [Route] {
        // Modules fill up with zeros what is no multiple of eight bytes before they wrap it under an AES key.
        let mayBeFilledUp = key.objectClass == .secretKey && key.keyType != .aes && (key.valueLength ?? 1) % 8 != 0
        var routes: [Route] = []
        if mayBeFilledUp { routes += try direct(key) }
        let made: (key: TransportKey?, failures: [String])
        if let transport {
            made = transport
        } else {
            made = try TransportKey.make(source, target) { () throws(HSMError) in try self.transportPair() }
            transport = made
        }
        for wrapping in made.key?.wrappings ?? [] {
            routes.append(
                Route(
                    name: "\(wrapping.name) under \(made.key?.name ?? "")", source: .plain(wrapping.source),
                    target: .plain(wrapping.target), isUnderTransportKey: true))
        }
        if !mayBeFilledUp { routes += try direct(key) }
        if routes.isEmpty { failures += made.failures }
        return routes
    }

    /// RSA-OAEP of the key itself, which keeps its exact length; secret keys only.
    private mutating func direct(_ key: CopiedObject) throws(HSMError) -> [Route] {
        guard key.objectClass == .secretKey, try transportPair() != nil else { return [] }
        let longest = Int(TransportPair.bits / 8) - 2
        return OAEPHash.allCases.filter { Int(key.valueLength ?? 1) <= longest - 2 * $0.length }.map {
            Route(
                name: "CKM_RSA_PKCS_OAEP (\($0.rawValue)) under an RSA-\(TransportPair.bits) key of the target",
                source: .oaep($0), target: .oaep($0), isUnderTransportKey: false)
        }
    }

    private mutating func transportPair() throws(HSMError) -> TransportPair? {
        if pair == nil {
            do throws(HSMError) {
                pair = .success(try TransportPair.make(source, target))
            } catch {
                guard error.isNoAnswer, !error.endsCopy else { throw error }
                pair = .failure(error)
            }
        }
        return try? pair?.get()
    }

    // MARK: Travelling

    private func keys(of route: Route) throws(HSMError) -> (source: ObjectHandle, target: ObjectHandle) {
        if route.isUnderTransportKey {
            guard let key = transport?.key else { throw HSMError(.keyMissing, "There is no transport key.") }
            return (key.source, key.target)
        }
        guard case .success(let pair)? = pair else { throw HSMError(.keyMissing, "There is no transport pair.") }
        return (pair.sourcePublicKey, pair.targetPrivateKey)
    }

    func targetKey(of route: Route) throws(HSMError) -> ObjectHandle { try keys(of: route).target }

    func wrap(_ key: CopiedObject, by route: Route) throws(HSMError) -> [UInt8] {
        let wrappingKey = try keys(of: route).source
        return try source.use { session throws(HSMError) in
            try session.wrap(key.handle, under: wrappingKey, route.source)
        }
    }

    /// Unwraps a key on the target as an object that must not stay.
    ///
    /// - Returns: The object, and the template that the target took, but for CKA_TOKEN, CKA_LABEL and CKA_ID.
    func arrive(
        _ wrapped: [UInt8], of key: CopiedObject, by route: Route, _ publicHalf: UseProof.PublicHalf?
    ) throws(HSMError) -> (ObjectHandle, KeyTemplate) {
        let unwrappingKey = try keys(of: route).target
        var accepted: KeyTemplate = []
        let object = try fitting { isSparing throws(HSMError) -> ObjectHandle in
            let template = CarriedAttributes.template(of: key, isSparing: isSparing)
            return try fitting { hasPoint throws(HSMError) -> ObjectHandle in
                accepted = template + (hasPoint ? Self.point(publicHalf) : [])
                let tried = accepted
                return try target.makeScratch(tried) { (session, template) throws(HSMError) in
                    try session.unwrap(wrapped, under: unwrappingKey, route.target, template)
                }
            }
        }
        return (object, accepted)
    }

    /// NSS keeps the point with a private key and takes none without it; no other module knows the attribute.
    private static func point(_ publicHalf: UseProof.PublicHalf?) -> [Attribute] {
        guard case .curve(_, let point)? = publicHalf else { return [] }
        return [.bytes(.nssPublicPoint, point)]
    }

    /// Makes an object in a first form, or in a second one if the token refuses that.
    ///
    /// - Throws: What the token said to the first form, if it refuses both.
    func fitting<R>(_ make: (_ isSecond: Bool) throws(HSMError) -> R) throws(HSMError) -> R {
        do throws(HSMError) {
            return try make(false)
        } catch {
            guard error.mayMeanRefusal else { throw error }
            let refusal = error
            do throws(HSMError) {
                return try make(true)
            } catch {
                throw error.mayMeanRefusal ? refusal : error
            }
        }
    }
}

extension HSMError {
    /// Whether no further object can be copied: a token is gone, full, or must be seen to by somebody.
    var endsCopy: Bool {
        guard let value = returnValue else { return code == .tokenUnavailable || code == .deadlineExceeded }
        if isLostSession || code == .pinRefused { return true }
        switch value.recovery {
        case .reconnect, .reLogin, .operator: return true
        case .shed: return !isAboutParameters
        default: return false
        }
    }
}
