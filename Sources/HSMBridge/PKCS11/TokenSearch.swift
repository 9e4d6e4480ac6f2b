import CP11Kit
import Token

/// Finds the slot that holds a token, by what the token says about itself and never by the slot's number.
enum TokenSearch {
    struct Found: Sendable {
        let slot: CK_SLOT_ID
        let identity: TokenIdentity
        let epoch: UInt64
    }

    /// - Parameter manifest: If given, the token must be the one it names, whatever else matches the URI.
    /// - Throws: `.tokenNotFound`; `.tokenMismatch` if tokens match the URI but none is the manifest's, or if several
    ///   match and nothing tells which is meant.
    static func find(door: CallDoor, uri: TokenURI, manifest: TokenManifest?) throws(HSMError) -> Found {
        let epoch = door.module.epoch
        var matching: [Found] = []
        for slot in try slots(door: door, epoch: epoch) {
            // One broken token must not hide the others.
            guard let identity = try? identity(of: slot, door: door, epoch: epoch),
                uri.matches(
                    label: identity.label, serial: identity.serial, manufacturer: identity.manufacturer,
                    model: identity.model)
            else { continue }
            matching.append(Found(slot: slot, identity: identity, epoch: epoch))
        }
        guard let first = matching.first else {
            let others = try all(door).map(describe).joined(separator: ", ")
            let shown =
                others.isEmpty
                ? "The module shows none. Does it find its own configuration?"
                    // exact: a hint in a message.
                    + (door.module.path.contains("softhsm") ? " SoftHSM looks where SOFTHSM2_CONF says." : "")
                : "The module shows \(others)."
            throw HSMError(.tokenNotFound, "No token matches '\(uri)'. \(shown)")
        }
        if let manifest {
            let named = matching.filter { $0.identity == manifest.token }
            guard named.count < 2 else { throw ambiguous(named.map(\.identity), uri) }
            guard let own = named.first else {
                throw HSMError(
                    .tokenMismatch,
                    "The token that matches is \(describe(first.identity)); provisioned was "
                        + "\(describe(manifest.token)). It is not used.")
            }
            return own
        }
        guard matching.count == 1 else {
            throw ambiguous(matching.map(\.identity), uri)
        }
        return first
    }

    /// Says what distinguishes the tokens that a URI does not: some vendors give all theirs the same serial number.
    static func ambiguous(_ tokens: [TokenIdentity], _ uri: TokenURI) -> HSMError {
        let fields: [(String, KeyPath<TokenIdentity, String>, Bool)] = [
            ("token", \.label, uri.token != nil), ("serial", \.serial, uri.serial != nil),
            ("manufacturer", \.manufacturer, uri.manufacturer != nil), ("model", \.model, uri.model != nil),
        ]
        let telling = fields.filter { field in !field.2 && Set(tokens.map { $0[keyPath: field.1] }).count > 1 }
        let hint =
            telling.isEmpty
            ? "Nothing that they say of themselves tells them apart: give one another label, or let the module show "
                + "one of them only."
            : "Add "
                + telling.map { field in
                    "'\(field.0)=' (\(tokens.map { "'\($0[keyPath: field.1])'" }.joined(separator: ", ")))"
                }.joined(separator: " or ") + "."
        return HSMError(.tokenMismatch, "\(tokens.count) tokens match '\(uri)'. \(hint)")
    }

    /// Every initialised token, whatever it is called.
    static func all(_ door: CallDoor) throws(HSMError) -> [TokenIdentity] {
        let epoch = door.module.epoch
        var identities: [TokenIdentity] = []
        for slot in try slots(door: door, epoch: epoch) {
            // One broken token must not hide the others.
            if let identity = try? identity(of: slot, door: door, epoch: epoch) { identities.append(identity) }
        }
        return identities
    }

    /// What a token says about itself now; fails when it is gone.
    static func identity(of slot: CK_SLOT_ID, door: CallDoor, epoch: UInt64) throws(HSMError) -> TokenIdentity {
        var info = CK_TOKEN_INFO()
        try door.call("C_GetTokenInfo", epoch: epoch) { $0.pointee.C_GetTokenInfo(slot, &info) }
        guard info.flags & CK_FLAGS(CKF_TOKEN_INITIALIZED) != 0 else {
            throw HSMError(.tokenNotFound, "The slot holds no initialised token.")
        }
        return TokenIdentity(
            label: padded(info.label), serial: padded(info.serialNumber), manufacturer: padded(info.manufacturerID),
            model: padded(info.model))
    }

    private static func describe(_ token: TokenIdentity) -> String {
        "'\(token.label)' serial \(token.serial) (\(token.manufacturer), \(token.model))"
    }

    private static func slots(door: CallDoor, epoch: UInt64) throws(HSMError) -> [CK_SLOT_ID] {
        // A token may appear between the two calls: leave room, and take what the second call says.
        var count = CK_ULONG()
        try door.call("C_GetSlotList", epoch: epoch) { $0.pointee.C_GetSlotList(CK_BBOOL(CK_TRUE), nil, &count) }
        var slots = [CK_SLOT_ID](repeating: 0, count: Int(count) + 16)
        count = CK_ULONG(slots.count)
        try door.call("C_GetSlotList", epoch: epoch) { $0.pointee.C_GetSlotList(CK_BBOOL(CK_TRUE), &slots, &count) }
        return Array(slots.prefix(Int(count)))
    }

    /// A space-padded text field of fixed size.
    private static func padded<T>(_ field: T) -> String {
        withUnsafeBytes(of: field) { bytes in
            var text = bytes[...]
            while let last = text.last, last == 0x20 || last == 0 { text = text.dropLast() }
            return String(decoding: text, as: UTF8.self)
        }
    }
}
