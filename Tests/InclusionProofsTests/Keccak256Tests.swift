import Encodings
import InclusionProofs
import Testing

@Suite(.timeLimit(.minutes(10))) struct Keccak256Tests {
    /// Known answers of Ethereum: the empty string, an event's name, and a chain over all lengths
    /// up to 299 bytes, computed with pycryptodome.
    @Test func answersAreEthereums() {
        #expect(
            hex(Keccak256.hash([])) == "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470")
        #expect(
            hex(Keccak256.hash("Transfer(address,address,uint256)".utf8))
                == "ddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef")
        var chained: [UInt8] = []
        for length in 0..<300 {
            chained = Keccak256.hash(chained + [UInt8](repeating: UInt8(length & 0xFF), count: length))
        }
        #expect(hex(chained) == "ad1a94943d954f88f6983beaac63a991d85f6531bb1fd0ab2f13db11714e9f73")
    }

    func hex(_ bytes: [UInt8]) -> String { Hexadecimal.encode(bytes) }
}
