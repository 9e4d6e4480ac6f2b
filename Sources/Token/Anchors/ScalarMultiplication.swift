package import SecretMemory

/// A token that multiplies points of TPM_ECC_BN_P256 by scalars of its own and gives whole points.
///
/// Package access is the point: whoever chooses the points has a multiplication oracle, so only the target that hashes
/// messages to the curve may come here.
///
/// - Concurrency: any number of calls at once.
package protocol ScalarMultiplication: Sealing {
    /// Whether the token computes on that curve.
    ///
    /// - Throws: `.tokenUnavailable`, `.overloaded`, `.deadlineExceeded`.
    func canMultiply() async throws(HSMError) -> Bool

    /// Imports a scalar as a key that this token alone loads and that only multiplies.
    ///
    /// - Parameters:
    ///   - scalar: 32 bytes, big-endian, in 1 ..< r.
    ///   - point: 04 ‖ X ‖ Y of its product with the generator (1, 2).
    /// - Throws: `.mechanismUnsupported`, `.authenticationFailed` or `.deviceFailure` if the token does not take it.
    func importMultiplier(_ scalar: SharedSecret, point: [UInt8]) async throws(HSMError) -> AnchorBlob

    /// The whole product of a point; whether it is right is for the caller to find out.
    ///
    /// - Parameter point: 04 ‖ X ‖ Y, on the curve and not chosen by a caller of the daemon.
    /// - Returns: 04 ‖ X ‖ Y.
    /// - Throws: `.authenticationFailed` if the blob does not load here.
    func product(_ point: [UInt8], by multiplier: AnchorBlob) async throws(HSMError) -> [UInt8]

    /// Drops what is loaded of a multiplier; it comes back at the next use.
    func forgetMultiplier(_ multiplier: AnchorBlob) async
}
