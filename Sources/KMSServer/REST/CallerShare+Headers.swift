import EnclaveLock
import HTTPTypes
import SecretMemory
import TextEncodings

extension CallerShare {
    /// Longest user name in bytes.
    private static let longestUser = 1024
    /// Longest share, base64-encoded.
    private static let longestShare = 2048

    /// What a request presents; nil if it has neither header. The first generation gave the headers other names.
    ///
    /// - Throws: ``RequestError`` for a share that is not base64, a name with control characters, and what is given
    ///   twice.
    init?(
        _ headers: HTTPFields, user userName: HTTPField.Name = .authUser, share shareName: HTTPField.Name = .secretShare
    ) throws {
        guard headers.contains(shareName) || headers.contains(userName) else { return nil }
        let (users, shares) = (headers[values: userName], headers[values: shareName])
        guard users.count <= 1, shares.count <= 1 else {
            throw RequestError.badRequest("\(userName.rawName) and \(shareName.rawName) are given once")
        }
        let user = users.first ?? ""
        guard user.utf8.count <= Self.longestUser, user.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }) else {
            throw RequestError.badRequest(
                "\(userName.rawName) is longer than \(Self.longestUser) bytes or has control characters")
        }
        guard let text = shares.first, !text.isEmpty else {
            self.init(user: user, share: nil)
            return
        }
        let bytes = Array(text.utf8)
        guard bytes.count <= Self.longestShare,
            let share = try bytes.withUnsafeBytes({ try Base64.decodeSecret($0, .eitherLines) }), share.count > 0
        else { throw RequestError.badRequest("bad request: decode secret share from header") }
        self.init(user: user, share: share)
    }
}

extension HTTPField.Name {
    static let secretShare: HTTPField.Name = {
        guard let name = HTTPField.Name("Secret-Share") else { preconditionFailure("the name is a token") }
        return name
    }()
    static let legacyShare: HTTPField.Name = {
        guard let name = HTTPField.Name("Hub-Kms-Secret") else { preconditionFailure("the name is a token") }
        return name
    }()
    static let legacyUser: HTTPField.Name = {
        guard let name = HTTPField.Name("Hub-Kms-User") else { preconditionFailure("the name is a token") }
        return name
    }()
    static let authUser: HTTPField.Name = {
        guard let name = HTTPField.Name("Auth-User") else { preconditionFailure("the name is a token") }
        return name
    }()
}
