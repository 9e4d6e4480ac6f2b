/// A stored key that is unwrapped in the token to be used.
package protocol UnwrappableKey: Hashable, Sendable {
    /// 16 random bytes.
    var identifier: [UInt8] { get }
}

extension ResidentKeyBlob: UnwrappableKey {}
extension AnchorBlob: UnwrappableKey {}
