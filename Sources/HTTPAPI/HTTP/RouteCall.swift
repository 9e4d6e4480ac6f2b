import EnclaveLock
import Hummingbird
import Keystores
import SplitKeys

/// One request on its way to the handler of its route.
struct RouteCall: Sendable {
    var request: Request
    let query: Substring?
    /// What stands in the path for its first and second braces, as it arrived; empty where the path has none.
    let parameters: (first: String, second: String)
    let id: RequestID
    let connection: ClientConnection
    /// In bytes.
    let bodyLimit: Int
    /// What the caller presents for keystores that are locked by shares, and as whose a keystore counts that is made.
    var caller = Caller.nobody
    /// Who asks, of a split-key route; nil where none need say.
    var user: SplitCaller?
    /// Whom a keystore that is made belongs to; nil if nobody is named.
    // exact: only handed on, into a document of bytes.
    var owner: String?
    /// What was made: a keystore, a keystore and key, or a DID.
    var made: String?
    /// What else the record of it says.
    // exact: names of details are this program's own.
    var details: [String: String] = [:]

    var keystore: String { parameters.first }
    var key: String { parameters.second }

    /// The keystore, or the keystore and the key; for records.
    var subject: String { key.isEmpty ? keystore : keystore + "/" + key }

    /// Collects the body and reads the members that `Key` lists.
    func body<Key: BodyMember, R>(
        _ type: Key.Type, names: [StaticString] = Key.names, _ read: (JSONBody<Key>) throws(JSONError) -> R
    ) async throws -> R {
        let buffer = try await request.readBody(upTo: bodyLimit)
        return try buffer.withUnsafeReadableBytes { bytes in try read(JSONBody(bytes, names: names)) }
    }

    /// The same for a body that carries a secret; it is read in locked memory.
    ///
    /// - Parameter read: Gets the memory as well, writable: reading a secret may unescape it in place, so that comes last.
    func secretBody<Key: BodyMember, R>(
        _ type: Key.Type, names: [StaticString] = Key.names,
        _ read: (JSONBody<Key>, UnsafeMutableRawBufferPointer) throws -> R
    ) async throws -> R {
        try await request.withSecretBody(upTo: bodyLimit) { memory in
            try read(JSONBody(UnsafeRawBufferPointer(memory), names: names), memory)
        }
    }
}
