/// The scalar of an anchor as the token keeps it: a multiplier on CurveFp254BNb that nobody reads.
///
/// Nothing here says which record it belongs to: whoever stores it binds it there.
package struct AnchorBlob: Hashable, Sendable {
    package enum Storage: Sendable, Hashable {
        /// AES key wrap with padding (RFC 5649) of a PKCS #8 under the token's resident wrapping key.
        case wrapped([UInt8])
        /// A token object of its own.
        case object
    }

    /// 16 random bytes; CKA_ID of what is in the token.
    package let identifier: [UInt8]
    package let storage: Storage

    package init(identifier: [UInt8], storage: Storage) {
        self.identifier = identifier
        self.storage = storage
    }
}
