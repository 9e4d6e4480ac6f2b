/// Public random values (identifiers, nonce prefixes) from the kernel's generator; secrets use `SecretBytes.random`.
package enum SystemRandom {
    package static func bytes(_ count: Int) -> [UInt8] {
        // The standard library's generator is getrandom(2) on Linux and cannot fail once the kernel is seeded.
        var generator = SystemRandomNumberGenerator()
        return (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
    }
}
