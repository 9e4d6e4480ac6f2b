import HTTPTypes

extension HTTPField.Name {
    /// A name that is a token (RFC 9110, section 5.6.2), as every name in this program is.
    init(known name: StaticString) {
        guard let field = HTTPField.Name("\(name)") else { preconditionFailure("the name is a token") }
        self = field
    }

    static let xRequestID = HTTPField.Name(known: "X-Request-Id")
    /// Our own name of a request, whatever the caller calls it.
    static let ownRequestID = HTTPField.Name(known: "X-Kmsd-Request-Id")
    static let noSniff = HTTPField.Name(known: "X-Content-Type-Options")
    /// Of the token of a user of split keys, or of the administration.
    static let jwtToken = HTTPField.Name(known: "X-Jwt-Token")

    static let authUser = HTTPField.Name(known: "Auth-User")
    static let secretShare = HTTPField.Name(known: "Secret-Share")
    static let legacyUser = HTTPField.Name(known: "Hub-Kms-User")
    static let legacyShare = HTTPField.Name(known: "Hub-Kms-Secret")

    static let peerPublicKey = HTTPField.Name(known: "X-Peer-Public-Key")
    static let receiptRequest = HTTPField.Name(known: "X-Receipt-Request")
    static let receipt = HTTPField.Name(known: "X-Receipt")
}
