/// One parser of bytes from outside, and what must hold of everything it accepts.
///
/// The same harness serves two drivers: `scripts/fuzz` feeds it what coverage leads to, and an ordinary unit test the
/// inputs in `Corpus`.
struct FuzzTarget: Sendable {
    /// Also the folder of its inputs in `Corpus`.
    let name: String
    /// Longest input that is tried, in bytes.
    let longest: Int
    /// Refusals of the parser end here; what it throws is a ``FuzzFinding``.
    let run: @Sendable ([UInt8]) throws(FuzzFinding) -> Void

    init(_ name: String, longest: Int = 4096, _ run: @escaping @Sendable ([UInt8]) throws(FuzzFinding) -> Void) {
        self.name = name
        self.longest = longest
        self.run = run
    }

    static let all =
        encodings + json + requests + capabilities + gnap + tokens + keys + points + vaults + imports + locks
        + addresses + settings + records + attestations + lattices + chains + proofs + decryptions + answers
}

/// Something that must hold and does not.
struct FuzzFinding: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}

/// Throws a finding unless the claim holds.
func claim(_ holds: Bool, _ what: @autoclosure () -> String) throws(FuzzFinding) {
    guard holds else { throw FuzzFinding(what()) }
}

/// The value of a call that must not fail, because the same value was accepted before.
func accepted<R>(_ what: String, _ body: () throws -> R) throws(FuzzFinding) -> R {
    do { return try body() } catch { throw FuzzFinding("\(what): \(error)") }
}

/// What the parser makes of the input; nil where it refuses.
///
/// For copyable values only: of others, the optimiser (Swift 6.3.1) gives a value here where the body throws.
func parsed<R>(_ body: () throws -> R) -> R? { try? body() }

/// The input as text; ill-formed UTF-8 is repaired, as it is where texts come from.
func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

/// Byte for byte, where `==` takes different spellings of a character for the same.
func same(_ left: String, _ right: String) -> Bool { left.utf8.elementsEqual(right.utf8) }
