extension VerifiedHeader {
    /// Takes a header on the word of a light proxy that verified it: only its own hash and chain are checked here.
    ///
    /// - Throws: `.invalid` for a header of another chain or height, and one that its commit does not name.
    public init(proxied block: SignedHeader, height: Int64?, chainID: String) throws(LightClientError) {
        try block.header.check()
        guard block.header.chainID == chainID else { throw .invalid("the proxy's header is of another chain") }
        guard height == nil || block.header.height == height else {
            throw .invalid("the proxy answered with another height")
        }
        let hash = try block.header.hash()
        guard block.commit.height == block.header.height, block.commit.blockID.hash == hash else {
            throw .invalid("the proxy's header is not the one that its commit is for")
        }
        self.init(header: block.header, hash: hash)
    }
}
