import Hummingbird
import Keystores

/// The routes that make, show and end keys.
struct KeyController: Sendable {
    let service: any KeystoreServing
    let baseURL: String
    let maximumBody: Int

    /// PKCS#8 of every supported type fits many times.
    private static let maximumImportBody = 64 * 1024
    /// 365 days.
    private static let longestGrace = 31_536_000

    func answer(
        _ action: Target.Action, _ request: Request, keystore: String, key: String
    ) async throws -> Response {
        switch action {
        case .export:
            let (publicKey, type) = try await service.exportKey(keystore: keystore, key: key)
            return Answer.object { writer in
                writer.member("public_key", bytes: publicKey)
                writer.member("key_type", type)
            }
        case .rotate:
            let type = try await keyType(request)
            return url(keystore, try await service.rotateKey(keystore: keystore, key: key, type: type))
        case .disable: return Answer.key(try await service.disableKey(keystore: keystore, key: key))
        case .enable: return Answer.key(try await service.enableKey(keystore: keystore, key: key))
        case .restore: return Answer.key(try await service.cancelDestruction(keystore: keystore, key: key))
        default: return Answer.notFound()
        }
    }

    func create(_ request: Request, keystore: String) async throws -> Response {
        let type = try await keyType(request)
        let created = try await service.createKey(keystore: keystore, type: type)
        return Answer.object(capacity: 512) { writer in
            writer.member("key_url", keyURL(keystore, created.id))
            writer.member("public_key", bytes: created.publicKey)
        }
    }

    func importKey(_ request: Request, keystore: String) async throws -> Response {
        let limit = min(maximumBody, Self.maximumImportBody)
        let (pkcs8, type, keyID) = try await request.withSecretBody(upTo: limit) { memory in
            let members = try JSONMembers(UnsafeRawBufferPointer(memory), ["key", "key_type", "key_id"])
            // Text members first: reading the secret may unescape it in place.
            let type = try members.text(1)
            let keyID = try members.optionalText(2)
            return (try members.secret(0, unescapingIn: memory), type, keyID)
        }
        let id = try await service.importKey(keystore: keystore, type: type, pkcs8: pkcs8, keyID: keyID)
        return url(keystore, id)
    }

    func describe(keystore: String, key: String) async throws -> Response {
        Answer.key(try await service.key(keystore: keystore, key: key))
    }

    func destroy(keystore: String, key: String, query: Substring?) async throws -> Response {
        let seconds = try QueryParameters(query, allowed: ["grace"]).number("grace", in: 0...Self.longestGrace)
        let grace = seconds.map { Duration.seconds($0) }
        return Answer.key(try await service.destroyKey(keystore: keystore, key: key, grace: grace))
    }

    func list(keystore: String, query: Substring?) async throws -> Response {
        let query = try QueryParameters(query, allowed: ["limit", "after"])
        let page = try await service.keys(
            keystore: keystore, after: query["after"], limit: try query.number("limit", in: 1...1000) ?? 100)
        return Answer.object(capacity: 512 + 400 * page.items.count) { writer in
            writer.member("keys", array: page.items) { $0.write($1) }
            if let next = page.next { writer.member("next", next) }
        }
    }

    /// The body of create and rotate. `attrs` is for types that are not served, so it is checked and not used.
    private func keyType(_ request: Request) async throws -> String {
        try await request.members(["key_type", "attrs"], upTo: maximumBody) { members throws(JSONError) in
            try members.requireStringsOrNothing(1)
            return try members.text(0)
        }
    }

    private func url(_ keystore: String, _ key: String) -> Response {
        Answer.object { $0.member("key_url", keyURL(keystore, key)) }
    }

    private func keyURL(_ keystore: String, _ key: String) -> String {
        "\(baseURL)/v1/keystores/\(keystore)/keys/\(key)"
    }
}

extension Answer {
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
    }
}
