/// Reads client keys of every format down to where the bits lie that decrypt, and their parameters. Numbers behind the
/// first word of a key are not repeated in messages: in a file of another format they might be bits of it.
///
/// Source: tfhe-rs 0.4.1, 0.6.1, 1.5.3 and 1.6.2, `shortint::ClientKey`, `ClassicPBSParameters`.
struct ClientKeyReader {
    static let limit = 1 << 20

    struct Found {
        var words: BincodeReader.Words
        var parameters: KeyParameters
    }

    private static let keyLengths = UInt64(KeyParameters.lengths.lowerBound)...UInt64(KeyParameters.lengths.upperBound)

    private let bytes: UnsafeRawBufferPointer
    private var reader: BincodeReader
    private let format: ClientKeyFormat

    private init(_ bytes: UnsafeRawBufferPointer, _ format: ClientKeyFormat) {
        self.bytes = bytes
        self.format = format
        reader = BincodeReader(bytes, "client key")
    }

    /// - Throws: ``TFHEError``; `tfhe-format` where the bytes look like another format.
    static func read(
        _ bytes: UnsafeRawBufferPointer, _ format: ClientKeyFormat, expecting: KeyParameters?
    ) throws(TFHEError) -> Found {
        do throws(TFHEError) {
            var reader = ClientKeyReader(bytes, format)
            return try reader.read(expecting)
        } catch {
            throw explained(error, bytes, expected: format)
        }
    }

    private mutating func read(_ expecting: KeyParameters?) throws(TFHEError) -> Found {
        switch format {
        case .raw04: return try raw04()
        case .raw05, .raw06: return try raw06()
        case .safe05: return try safe05()
        case .concrete: return try concrete(expecting)
        }
    }

    /// The two secrets of a client and the polynomial size between them.
    private struct Secrets {
        var big: BincodeReader.Words
        var polynomialSize: UInt64
        var small: BincodeReader.Words
    }

    private mutating func raw06() throws(TFHEError) -> Found {
        let secrets = try secrets(versioned: false)
        let found = try classic(secrets, versioned: false)
        guard try reader.u8("wopbs parameters") == 0 else {
            throw .unsupported("the client key has wopbs parameters, which are not read")
        }
        try reader.end()
        return found
    }

    private mutating func raw04() throws(TFHEError) -> Found {
        // A boolean key and three small ones, each with parameters: absent where only integers are enabled.
        for _ in 0..<8 where try reader.u8("keys of other kinds") != 0 {
            throw .unsupported("the client key has keys besides the one for integers, which are not read")
        }
        guard try reader.u8("integer key") == 1 else { throw reader.malformed("has no key for integers") }
        let large = try reader.words(Self.keyLengths, "the large key")
        let secrets = try secrets(versioned: false)
        guard large.count == secrets.big.count, KeyBits.difference(window(large), window(secrets.big)) == 0 else {
            throw .key("the large key is not the GLWE key read as one vector")
        }
        let found = try classic(secrets, versioned: false)
        guard try reader.u8("wopbs parameters") == 0 else {
            throw .unsupported("the client key has wopbs parameters, which are not read")
        }
        try reader.end()
        return found
    }

    private mutating func safe05() throws(TFHEError) -> Found {
        try SafeHeader.read(&reader, .v05, name: "high_level_api::ClientKey")
        try reader.version(1, "the high-level key")
        try reader.version(3...8, "the inner key")
        try reader.version(0, "the integer key")
        let hasPatterns = try reader.version(0...1, "the block key") == 1
        if hasPatterns {
            try reader.version(0, "the key by atomic pattern")
            guard try reader.u32("atomic pattern") == 0 else {
                throw .unsupported("the client key has another atomic pattern than the standard one")
            }
            try reader.version(0, "the standard key")
        }
        let secrets = try secrets(versioned: true)
        if !hasPatterns {
            try zero("version of the parameter set")
            try zero("version of the inner parameter set")
            try zero("kind of the parameter set")
        }
        return try classic(secrets, versioned: true)
    }

    private mutating func concrete(_ expecting: KeyParameters?) throws(TFHEError) -> Found {
        guard let expecting else {
            throw .key("Concrete's key carries no parameters: moduli, order and length must be given")
        }
        try SafeHeader.read(&reader, .v05, name: "core_crypto::LweSecretKey")
        try reader.version(0, "the LWE key")
        let words = try reader.words(Self.keyLengths, "the key")
        guard words.count == expecting.length else {
            throw .key("the key has \(words.count) bits, not \(expecting.length) as expected")
        }
        try reader.end()
        return Found(words: words, parameters: expecting)
    }

    private mutating func secrets(versioned: Bool) throws(TFHEError) -> Secrets {
        if versioned { try reader.version(0, "the GLWE key") }
        let big = try reader.words(Self.keyLengths, "the big key")
        if versioned { try zero("version of the polynomial size") }
        let size = try reader.u64("polynomial size")
        if versioned { try zero("version of the LWE key") }
        let small = try reader.words(Self.keyLengths, "the small key")
        guard KeyBits.union(window(big)) <= 1, KeyBits.union(window(small)) <= 1 else {
            throw .key("a word of the key is neither 0 nor 1")
        }
        return Secrets(big: big, polynomialSize: size, small: small)
    }

    /// Parameters of the classic bootstrap, and what of them must agree with the keys.
    private mutating func classic(_ secrets: Secrets, versioned: Bool) throws(TFHEError) -> Found {
        try zero("kind of the parameters")
        try zero("kind of the bootstrap")
        if versioned {
            guard try reader.u32("version of the classic parameters") <= 2 else {
                throw .unsupported("the client key has classic parameters of a version above 2")
            }
        }
        let small = try number("LWE dimension", versioned)
        let (rank, size) = (try number("GLWE dimension", versioned), try number("polynomial size", versioned))
        for _ in 0..<2 { try distribution(versioned) }
        for _ in 0..<4 { _ = try number("bases and levels", versioned) }
        let message = try number("message modulus", versioned)
        let carry = try number("carry modulus", versioned)
        if format == .raw06 || format == .safe05 {
            _ = try number("largest noise level", versioned)
            try reader.skip(8, "probability of failure")
        }
        try modulus(versioned)
        if versioned { try zero("version of the key choice") }
        guard let order = KeyOrder(rawValue: try reader.u32("key choice")) else {
            throw reader.malformed("has a key choice that is neither 0 nor 1")
        }
        let (product, overflow) = rank.multipliedReportingOverflow(by: size)
        guard !overflow, product == UInt64(secrets.big.count), size == secrets.polynomialSize,
            small == UInt64(secrets.small.count)
        else { throw .key("the lengths of the keys are not those of the parameters") }
        let words = order == .big ? secrets.big : secrets.small
        return Found(
            words: words,
            parameters: try KeyParameters(
                messageModulus: message, carryModulus: carry, order: order, length: words.count))
    }

    private mutating func number(_ name: StaticString, _ versioned: Bool) throws(TFHEError) -> UInt64 {
        if versioned { try zero(name) }
        return try reader.u64(name)
    }

    private mutating func distribution(_ versioned: Bool) throws(TFHEError) {
        if format == .raw04 { return try reader.skip(8, "noise distribution") }
        if versioned { try zero("version of the noise distribution") }
        let kind = try reader.u32("kind of the noise distribution")
        guard kind <= 1 else { throw reader.malformed("has a noise distribution of an unknown kind") }
        if versioned { try zero("version of the noise distribution") }
        try reader.skip(kind == 0 ? 16 : 4, "noise distribution")
    }

    private mutating func modulus(_ versioned: Bool) throws(TFHEError) {
        if versioned { try zero("version of the ciphertext modulus") }
        try reader.nativeModulus(versioned: false)
    }

    /// A version or a kind behind the keys; what was found is not repeated.
    private mutating func zero(_ name: StaticString) throws(TFHEError) {
        guard try reader.u32(name) == 0 else {
            throw .unsupported("the client key has something else than 0 as: \(name)")
        }
    }

    private func window(_ words: BincodeReader.Words) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: bytes[words.offset...].prefix(8 * words.count))
    }
}
