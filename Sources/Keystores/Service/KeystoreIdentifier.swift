import LibCrypto
import Synchronization

/// Makes keystore ids: xids, 20 characters of lower-case base32hex.
///
/// Their 12 bytes are 4 of time in seconds, 5 chosen at random per process and 3 of a counter with a random start.
///
/// - Source: github.com/rs/xid, README.
enum KeystoreIdentifier {
    private struct State {
        var process: [UInt8] = []
        var counter: UInt32 = 0
    }

    private static let state = Mutex(State())
    private static let alphabet = Array("0123456789abcdefghijklmnopqrstuv".utf8)

    static func make(seconds: UInt32) throws -> String {
        let fresh = try Random.bytes(8)
        let (process, counter) = state.withLock { state in
            if state.process.isEmpty {
                state.process = Array(fresh[..<5])
                state.counter = fresh[5...].reduce(0) { $0 << 8 | UInt32($1) }
            }
            state.counter = (state.counter &+ 1) & 0xFF_FFFF
            return (state.process, state.counter)
        }
        let bytes = withUnsafeBytes(of: seconds.bigEndian) { Array($0) } + process
        return encode(bytes + withUnsafeBytes(of: counter.bigEndian) { Array($0[1...]) })
    }

    /// 12 bytes to 20 characters; the last carries one bit.
    static func encode(_ bytes: [UInt8]) -> String {
        precondition(bytes.count == 12, "an xid has 12 bytes")
        var text: [UInt8] = []
        var (window, bits) = (UInt32(0), 0)
        for byte in bytes {
            window = window << 8 | UInt32(byte)
            bits += 8
            while bits >= 5 {
                bits -= 5
                text.append(alphabet[Int(window >> UInt32(bits)) & 31])
            }
        }
        text.append(alphabet[Int(window << UInt32(5 - bits)) & 31])
        return String(decoding: text, as: UTF8.self)
    }
}
