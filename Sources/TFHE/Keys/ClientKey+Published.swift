internal import LibCrypto
internal import SecretMemory

extension ClientKey {
    /// SHA-256 of the packed bits, 32 bytes. It distinguishes keys and gives none of their bits away.
    ///
    /// - Throws: `LibCryptoError`, or `SecretMemoryError` if memory cannot be locked.
    public func fingerprint() throws -> [UInt8] {
        try bits.withSecret { try Digest.sha256(secret: $0) }.withUnsafeBytes { Array($0) }
    }

    /// Whether the key is one that stands in a public repository or among the test data here, in either half: such a key
    /// guards nothing and must not be put into service.
    ///
    /// - Throws: As ``fingerprint()``.
    public func isPublished() throws -> Bool {
        let digits = try fingerprint().flatMap { [$0 >> 4, $0 & 15] }
        return Self.published.contains(digits.map { String($0, radix: 16) }.joined())
    }

    /// Big and small half of each key of `Tests/TFHETests/Vectors`; of Concrete's, the only one.
    private static let published: Set<String> = [  // exact: digests in hexadecimal, this program's own.
        "6e534531b8eff1e6a095940375fdbd0760e6a8e0ab76f12d0c3973e798500399",
        "185fbe9ee717a0380c3e20b2a4f3dee135c79b7beb4db7308272c237d027e8aa",
        "39742905ad7b47d05be0f270ccbab0a7c9c2225c152f74e24d5d5958b2db3638",
        "a039f0a6e6ddf4bf49cdc1bd75935a0bb582f1cac67b9c8a8f255f84aaa548a1",
        "1eb2c5e6ae2e25434b84113554ccfcce81130479fdb7a4a32f1766224b2395c2",
        "08d370aa79420a83ccf9997a1f73ca2cdf1acc831a9e2138c88d33bdd96bf988",
        "f57fb418e1745a169d0da34d6168315f7ddc7c35e568d43cd98a0b2b955707b5",
        "8f6b634a39899cb07a03648e5b1e906b2fc93ab1da1ace270d0944a4f0f71e87",
        "df81cf211f82f2db4a6a168d1725cfc7a8b96a921d3a45a2810c4c26d2c92c46",
        "6997fdf1d33a245fb6b2a200a406ce3f46a14d90e5f0efeecfd7ab0ef391460e",
        "d03f7654766d490aa7d7db3484f99f6df339a501ff7deb2d6c77e507395c28f8",
        "d65018e23fa32a8cc7f001d0e6fb0cb641d03f513ec87f40530eb893d4cca64e",
    ]
}
