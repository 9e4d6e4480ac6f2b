import LibCrypto

/// Counts a commit's votes, by the set that made it and by a set that is trusted already.
///
/// Signatures are Ed25519 as libsodium verifies it, which refuses some odd ones that the chain's own rules (ZIP 215) let
/// pass: a header may be refused that a node takes, never the other way.
///
/// Source: CometBFT, `types/validation.go`.
enum CommitCheck {
    /// Checks the form alone: one place per validator, each vote at its own validator's place.
    ///
    /// - Throws: `.invalid`.
    static func places(_ commit: Commit, of set: ValidatorSet) throws(LightClientError) {
        guard commit.signatures.count == set.validators.count else {
            throw .invalid(
                "the commit has \(commit.signatures.count) places for \(set.validators.count) validators")
        }
        for (signature, validator) in zip(commit.signatures, set.validators) where signature.vote != .absent {
            guard signature.address == validator.address else {
                throw .invalid("a vote of the commit is not at its validator's place")
            }
        }
    }

    /// More than two thirds of the set's own power must have signed. Stops counting once they have.
    ///
    /// - Throws: `.invalid` for too little power, and for a wrong signature before that.
    static func ownPower(_ commit: Commit, of set: ValidatorSet, chainID: String) throws(LightClientError) {
        try places(commit, of: set)
        // The power's bound keeps twice of it in range.
        let threshold = set.totalPower * 2 / 3
        var tally: Int64 = 0
        for index in commit.signatures.indices where commit.signatures[index].vote == .commit {
            let validator = set.validators[index]
            try verify(commit, index, by: validator, chainID: chainID)
            tally += validator.power
            if tally > threshold { return }
        }
        throw .invalid("votes of \(tally) have signed; more than \(threshold) of \(set.totalPower) are needed")
    }

    /// More than the trust level of a trusted set's power must have signed, whoever else has. Stops once they have.
    ///
    /// - Throws: `.notEnoughTrust`; `.invalid` for a validator with two votes and for a wrong signature.
    static func trustedPower(
        _ commit: Commit, of trusted: ValidatorSet, level: TrustLevel, chainID: String
    ) throws(LightClientError) {
        let threshold = level.threshold(of: trusted.totalPower)
        let byAddress = Dictionary(trusted.validators.map { ($0.address, $0) }) { first, _ in first }
        var seen: Set<[UInt8]> = []
        var tally: Int64 = 0
        for index in commit.signatures.indices where commit.signatures[index].vote == .commit {
            guard let validator = byAddress[commit.signatures[index].address] else { continue }
            guard seen.insert(validator.address).inserted else {
                throw .invalid("a validator has voted twice in one commit")
            }
            try verify(commit, index, by: validator, chainID: chainID)
            tally += validator.power
            if tally > threshold { return }
        }
        throw LightClientError(
            .notEnoughTrust,
            "trusted votes of \(tally) have signed; more than \(threshold) of \(trusted.totalPower) are needed")
    }

    private static func verify(
        _ commit: Commit, _ index: Int, by validator: Validator, chainID: String
    ) throws(LightClientError) {
        let message = commit.signBytes(index, chainID: chainID)
        do throws(LibCryptoError) {
            let key = try VerificationKey(curve: .ed25519, publicKey: validator.publicKey)
            if try key.verify(commit.signatures[index].signature, message: message) { return }
        } catch {
            guard error.code == .invalidInput else {
                throw LightClientError(.unavailable, "the library for Ed25519 failed")
            }
        }
        throw .invalid("signature \(index) of the commit at height \(commit.height) is wrong")
    }
}
