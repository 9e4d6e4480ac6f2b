public import SecretMemory

/// The structures that generations GA and GB sign, and the value inside them.
public enum LegacyResponses {
    /// A value as the response to a decryption has it.
    ///
    /// - Parameter value: Little-endian at the type's width.
    public static func plaintext(
        _ value: SharedSecret, _ number: UInt32, _ generation: Generation
    ) throws(SecretMemoryError) -> WireDER {
        switch generation {
        case .ga: .sequence([.secretVector(try early(value, number)), .type(number)])
        case .gb, .gn: .sequence([.secretNumber(value), .type(number)])
        }
    }

    /// What a response to a decryption signs.
    ///
    /// - Parameters:
    ///   - verificationKey: The server's, compressed.
    ///   - plaintext: Encoded, as a vector.
    static func decryption(
        to request: LegacyRequest, verificationKey: [UInt8], plaintext: WireDER, digest: [UInt8]
    ) -> WireDER {
        let key = WireDER.octets(verificationKey).encoded
        switch request.generation {
        case .ga:
            return .sequence([
                .number(1), .vector(key), plaintext, .vector(digest), .vector(request.randomness),
            ])
        case .gb, .gn:
            return .sequence([
                .number(UInt64(request.version)), .number(UInt64(request.serversNeeded)), .vector(key), plaintext,
                .vector(digest),
            ])
        }
    }

    /// The same for whoever has got the answer.
    public static func decryption(
        to request: LegacyRequest, verificationKey: [UInt8], plaintext: [UInt8], digest: [UInt8]
    ) -> [UInt8] {
        decryption(to: request, verificationKey: verificationKey, plaintext: .vector(plaintext), digest: digest)
            .encoded
    }

    /// What is signcrypted: the value, and the request that it answers.
    ///
    /// - Parameter generation: Nil for the own service, which writes the value at its type's width.
    public static func signcrypted(
        _ value: SharedSecret, _ number: UInt32, digest: [UInt8], _ generation: Generation?
    ) throws(SecretMemoryError) -> SecretBytes {
        let bytes =
            switch generation {
            case nil: value
            case .ga: try early(value, number)
            case .gb, .gn: try padded(value, by: max(0, 16 - value.count))
            }
        return try WireDER.sequence([.sequence([.secretVector(bytes), .type(number)]), .vector(digest)])
            .secretlyEncoded()
    }

    /// Generation GA puts a 1 behind a truth value.
    private static func early(_ value: SharedSecret, _ number: UInt32) throws(SecretMemoryError) -> SharedSecret {
        guard number == 0 else { return value }
        return SharedSecret(
            try value.withSecret { value throws(SecretMemoryError) in try SecretBytes.joining([], value, [1]) })
    }

    private static func padded(_ value: SharedSecret, by count: Int) throws(SecretMemoryError) -> SharedSecret {
        SharedSecret(
            try value.withSecret { value throws(SecretMemoryError) in
                try SecretBytes.joining([], value, [UInt8](repeating: 0, count: count))
            })
    }
}
