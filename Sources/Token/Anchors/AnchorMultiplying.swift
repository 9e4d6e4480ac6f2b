/// A token that keeps scalars of CurveFp254BNb and gives the x coordinates of their products.
///
/// Package access is the point: whoever chooses the points has a multiplication oracle, so only the target that hashes
/// messages to the curve may come here.
///
/// - Concurrency: any number of calls at once.
package protocol AnchorMultiplying: Sealing {
    /// Imports a scalar.
    ///
    /// - Parameters:
    ///   - asTokenObject: Whether the token keeps it as an object; otherwise it is wrapped under the token's key.
    ///   - send: Wraps the scalar for the token; called on a token thread, again if the import is tried again.
    /// - Throws: `.mechanismUnsupported` or `.deviceFailure` if the token cannot; `.tokenUnavailable`, `.overloaded`,
    ///   `.deadlineExceeded`.
    func importAnchor(
        asTokenObject: Bool, _ send: @escaping AnchorDelivery.Sender
    ) async throws(HSMError) -> AnchorBlob

    /// x coordinates of the multiples of points, all in one visit to the token.
    ///
    /// - Parameter points: 04 ‖ X ‖ Y, 65 bytes each, on the curve and not chosen by a caller of the daemon.
    /// - Returns: 32 bytes each, big-endian. Whether they are right is for the caller to find out.
    /// - Throws: `.authenticationFailed` if the blob does not unwrap here; `.keyMissing` if the token object is gone.
    func multiply(_ points: [[UInt8]], by anchor: AnchorBlob) async throws(HSMError) -> [[UInt8]]

    /// Drops what is unwrapped of an anchor; it comes back at the next use.
    func forgetAnchor(_ anchor: AnchorBlob) async

    /// Destroys the token object of an anchor; without effect for one that is not there or is kept wrapped.
    func destroyAnchor(_ anchor: AnchorBlob) async throws(HSMError)
}
