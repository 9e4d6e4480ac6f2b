import EnclaveLock
import HTTPTypes
import SecretMemory

extension CallerShare {
    /// Longest user name in bytes.
    private static let longestUser = 1024
    /// Longest share, base64-encoded.
    private static let longestShare = 2048

    /// What a request presents; nil if it has neither header.
    ///
    /// - Throws: ``RequestError`` for a share that is not base64, a name with control characters, and what is given
    ///   twice.
    init?(_ headers: HTTPFields) throws {
        guard headers.contains(.secretShare) || headers.contains(.authUser) else { return nil }
        let (users, shares) = (headers[values: .authUser], headers[values: .secretShare])
        guard users.count <= 1, shares.count <= 1 else {
            throw RequestError.badRequest("Auth-User and Secret-Share are given once")
        }
        let user = users.first ?? ""
        guard user.utf8.count <= Self.longestUser, user.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }) else {
            throw RequestError.badRequest(
                "Auth-User is longer than \(Self.longestUser) bytes or has control characters")
        }
        guard let text = shares.first, !text.isEmpty else {
            self.init(user: user, share: nil)
            return
        }
        let bytes = Array(text.utf8)
        guard bytes.count <= Self.longestShare,
            let share = try bytes.withUnsafeBytes({ try Base64.decodeSecret($0) }), share.count > 0
        else { throw RequestError.badRequest("wrap request: bad request: decode secret share from header") }
        self.init(user: user, share: share)
    }
}

extension HTTPField.Name {
    static let secretShare: HTTPField.Name = {
        guard let name = HTTPField.Name("Secret-Share") else { preconditionFailure("the name is a token") }
        return name
    }()
    static let authUser: HTTPField.Name = {
        guard let name = HTTPField.Name("Auth-User") else { preconditionFailure("the name is a token") }
        return name
    }()
}
