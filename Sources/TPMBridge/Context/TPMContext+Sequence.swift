import CTSS2
import SecretMemory
import Token

/// MACs of messages that no single command takes: TPM2_HMAC_Start, TPM2_SequenceUpdate, TPM2_SequenceComplete (TPM 2.0
/// Library part 3, section 17).
///
/// The sequence is an object of its own: it takes the one slot that stays free, for the time of the call. It ends with
/// its result, or is flushed on whatever goes wrong, so there is never more than one.
extension TPMContext {
    /// HMAC-SHA-256 of a message of any length, 32 bytes.
    ///
    /// - Throws: `.deadlineExceeded` when the time of the request is over between two commands; the TPM is not lost then.
    func longHMAC(_ key: ESYS_TR, _ authorization: SharedSecret, _ message: [UInt8]) throws(HSMError) -> [UInt8] {
        // What others might send to our sequence, where nobody keeps users of the TPM apart, is refused.
        let secret: SharedSecret
        do { secret = SharedSecret(try SecretBytes.random(count: 16)) } catch {
            throw HSMError(.overloaded, "No locked memory for a secret: \(error).")
        }
        let sequence = try startSequence(key, authorization, secret)
        do throws(HSMError) {
            return try finish(sequence, secret, message)
        } catch {
            transport.deadline = max(transport.deadline, .now + .milliseconds(500))
            _ = Esys_FlushContext(esys, sequence)
            throw error
        }
    }

    private func startSequence(
        _ key: ESYS_TR, _ authorization: SharedSecret, _ secret: SharedSecret
    ) throws(HSMError) -> ESYS_TR {
        var value = TPM2B_AUTH()
        defer { TPMBytes.wipe(&value) }
        secret.withUnsafeBytes { TPMBytes.fill(&value, $0) }
        var sequence = Self.none
        try withAuthorization(key, authorization) { () throws(HSMError) in
            let session = try session(encrypting: false, decrypting: true)
            try call("Esys_HMAC_Start") {
                Esys_HMAC_Start(
                    esys, key, session, Self.none, Self.none, &value, TPMI_ALG_HASH(TPM2_ALG_SHA256), &sequence)
            }
        }
        return sequence
    }

    private func finish(
        _ sequence: ESYS_TR, _ secret: SharedSecret, _ message: [UInt8]
    ) throws(HSMError) -> [UInt8] {
        var rest = message[...]
        var slowest = Duration.zero
        while rest.count > longestMessage {
            let start = ContinuousClock.now
            // A command that is cut short costs the connection; none is begun that would be.
            guard start + slowest < transport.deadline else {
                throw HSMError(
                    .deadlineExceeded,
                    "A MAC over \(message.count) bytes takes this TPM longer than token-timeout: it had taken in "
                        + "\(message.count - rest.count). Give more time, shorter data, or use a sealed keystore.")
            }
            try update(sequence, secret, rest.prefix(longestMessage))
            rest = rest.dropFirst(longestMessage)
            slowest = max(slowest, ContinuousClock.now - start)
        }
        return try complete(sequence, secret, rest)
    }

    private func update(
        _ sequence: ESYS_TR, _ secret: SharedSecret, _ part: ArraySlice<UInt8>
    ) throws(HSMError) {
        var buffer = TPM2B_MAX_BUFFER()
        TPMBytes.fill(&buffer, Array(part))
        try withAuthorization(sequence, secret) { () throws(HSMError) in
            let session = try session(encrypting: false, decrypting: true)
            try call("Esys_SequenceUpdate") {
                Esys_SequenceUpdate(esys, sequence, session, Self.none, Self.none, &buffer)
            }
        }
    }

    private func complete(
        _ sequence: ESYS_TR, _ secret: SharedSecret, _ part: ArraySlice<UInt8>
    ) throws(HSMError) -> [UInt8] {
        var buffer = TPM2B_MAX_BUFFER()
        TPMBytes.fill(&buffer, Array(part))
        var pointer: UnsafeMutablePointer<TPM2B_DIGEST>?
        try withAuthorization(sequence, secret) { () throws(HSMError) in
            let session = try session(encrypting: true, decrypting: true)
            try call("Esys_SequenceComplete") {
                Esys_SequenceComplete(
                    esys, sequence, session, Self.none, Self.none, &buffer, ESYS_TR(ESYS_TR_RH_NULL), &pointer, nil)
            }
        }
        guard let pointer else { throw HSMError(.deviceFailure, "Esys_SequenceComplete gave nothing.") }
        defer { Esys_Free(pointer) }
        return TPMBytes.array(pointer.pointee)
    }
}
