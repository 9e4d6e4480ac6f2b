import EnclaveLock
import Encodings
import HTTPTypes
import SecretMemory

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
        if !user.isEmpty, let problem = NamingText.problem(user, limit: Self.longestUser) {
            throw RequestError.badRequest("\(userName.rawName) \(problem)")
        }
        guard let text = shares.first, !text.isEmpty else {
            self.init(user: user, share: nil)
            return
        }
        let bytes = Array(text.utf8)
        guard bytes.count <= Self.longestShare,
            let share = try bytes.withUnsafeBytes({ try Base64.decodeSecret($0, .eitherLines) }), share.count > 0
        else { throw RequestError.unreadableShare }
        self.init(user: user, share: share)
    }
}
