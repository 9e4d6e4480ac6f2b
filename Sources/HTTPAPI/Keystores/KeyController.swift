import Encodings
import Hummingbird
import Keystores

/// The routes that make, show and end keys.
struct KeyController: Sendable {
    let service: any KeyManaging
    let baseURL: String

    /// 365 days.
    private static let longestGrace = 31_536_000

    func create(_ call: inout RouteCall) async throws -> Response {
        let type = try await keyType(call)
        let created = try await service.createKey(keystore: call.keystore, type: type, caller: call.caller)
        call.made = call.keystore + "/" + created.id
        let location = keyURL(call.keystore, created.id)
        return Responses.object(capacity: 512) { writer in
            writer.member("key_url", location)
            writer.member("public_key", bytes: created.publicKey)
        }
    }

    func importKey(_ call: inout RouteCall) async throws -> Response {
        let (pkcs8, type, keyID) = try await call.secretBody(ImportKeyBody.self) { body, memory in
            // Text members first: reading the secret may unescape it in place.
            let type = try body.text(.type)
            let keyID = try body.optionalText(.id)
            return (try body.secret(.key, in: memory), type, keyID)
        }
        let id = try await service.importKey(
            keystore: call.keystore, type: type, pkcs8: pkcs8, keyID: keyID, caller: call.caller)
        call.made = call.keystore + "/" + id
        return url(call.keystore, id)
    }

    func rotate(_ call: inout RouteCall) async throws -> Response {
        let type = try await keyType(call)
        let id = try await service.rotateKey(keystore: call.keystore, key: call.key, type: type, caller: call.caller)
        call.made = call.keystore + "/" + id
        return url(call.keystore, id)
    }

    func export(_ call: RouteCall) async throws -> Response {
        let (publicKey, type) = try await service.exportKey(keystore: call.keystore, key: call.key, caller: call.caller)
        return Responses.object { writer in
            writer.member("public_key", bytes: publicKey)
            writer.member("key_type", type)
        }
    }

    func describe(_ call: RouteCall) async throws -> Response {
        Responses.key(try await service.key(keystore: call.keystore, key: call.key, caller: call.caller))
    }

    func list(_ call: RouteCall) async throws -> Response {
        let query = try QueryParameters(call.query, allowed: ["limit", "after"])
        let page = try await service.keys(
            keystore: call.keystore, after: query["after"], limit: try query.number("limit", in: 1...1000) ?? 100,
            caller: call.caller)
        return Responses.object(capacity: 512 + 400 * page.items.count) { writer in
            writer.member("keys", array: page.items) { $0.write($1) }
            if let next = page.next { writer.member("next", next) }
        }
    }

    // MARK: Life

    func disable(_ call: RouteCall) async throws -> Response {
        Responses.key(try await service.disableKey(keystore: call.keystore, key: call.key, caller: call.caller))
    }

    func enable(_ call: RouteCall) async throws -> Response {
        Responses.key(try await service.enableKey(keystore: call.keystore, key: call.key, caller: call.caller))
    }

    func restore(_ call: RouteCall) async throws -> Response {
        Responses.key(try await service.cancelDestruction(keystore: call.keystore, key: call.key, caller: call.caller))
    }

    func destroy(_ call: RouteCall) async throws -> Response {
        let query = try QueryParameters(call.query, allowed: ["grace"])
        let grace = try query.number("grace", in: 0...Self.longestGrace).map { Duration.seconds($0) }
        return Responses.key(
            try await service.destroyKey(keystore: call.keystore, key: call.key, grace: grace, caller: call.caller))
    }

    /// The body of create and rotate. `attrs` is for types that are not served, so it is checked and not used.
    private func keyType(_ call: RouteCall) async throws -> String {
        try await call.body(KeyTypeBody.self) { body throws(JSONError) in
            try body.requireStringsOrNothing(.attributes)
            return try body.text(.type)
        }
    }

    private func url(_ keystore: String, _ key: String) -> Response {
        Responses.object { $0.member("key_url", keyURL(keystore, key)) }
    }

    private func keyURL(_ keystore: String, _ key: String) -> String {
        "\(baseURL)/v1/keystores/\(keystore)/keys/\(key)"
    }
}

extension Responses {
    static func key(_ metadata: KeyMetadata) -> Response { object(capacity: 512) { $0.write(metadata) } }
}

extension JSONWriter {
    mutating func write(_ key: KeyMetadata) {
        member("id", key.id)
        member("type", key.type)
        member("state", key.state.rawValue)
        member("protection", key.protection.rawValue)
        member("provenance", key.provenance.rawValue)
        member("created_at", Timestamp(key.createdAt).rfc3339(digits: 3))
        if let date = key.destroyAt { member("destroy_at", Timestamp(date).rfc3339(digits: 3)) }
        member("versions", array: key.versions) { writer, version in
            writer.member("version", Int(clamping: version.version))
            writer.member("created_at", Timestamp(version.createdAt).rfc3339(digits: 3))
            writer.member("primary", version.primary)
        }
        member("public_key", bytes: key.publicKey.map { Array($0) })
        if let thumbprint = key.jwkThumbprint { member("jwk_thumbprint", thumbprint) }
    }
}
