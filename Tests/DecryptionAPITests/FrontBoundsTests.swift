import Decryption
import NIOCore
import Testing

@testable import DecryptionAPI

@Suite("What callers of the gRPC front may use up", .timeLimit(.minutes(10)))
struct FrontBoundsTests {
    private let one = CallerBlock(address: [192, 0, 2, 1])
    private let two = CallerBlock(address: [192, 0, 2, 2])

    private func use() -> FrontUse {
        var limits = FrontLimits(message: 100, patience: .seconds(1))
        limits.connectionsPerCaller = 2
        limits.streams = 6
        limits.watches = 4
        limits.bytes = 1000
        return FrontUse(limits)
    }

    @Test("Connections of one caller")
    func connections() {
        let use = use()
        #expect(use.connect(one))
        #expect(use.connect(one))
        #expect(!use.connect(one))
        #expect(use.connect(two))
        // The refused one is counted until it has gone, too.
        use.disconnect(one)
        #expect(!use.connect(one))
        use.disconnect(one)
        use.disconnect(one)
        #expect(use.connect(one))
    }

    @Test("Questions of one caller and of all")
    func streams() {
        let use = use()
        for _ in 0..<3 { #expect(use.open(one, isWatch: false) == nil) }
        #expect(use.open(one, isWatch: false) == .streamsOfCaller)
        for _ in 0..<3 { #expect(use.open(two, isWatch: false) == nil) }
        #expect(use.open(CallerBlock(address: []), isWatch: false) == .streams)
        use.close(two, isWatch: false, bytes: 0)
        #expect(use.open(CallerBlock(address: []), isWatch: false) == nil)
        #expect(use.streams == 6)
    }

    @Test("Watches of one caller, and of all")
    func watches() {
        let use = use()
        #expect(use.open(one, isWatch: true) == nil)
        #expect(use.open(one, isWatch: true) == .watches)
        #expect(use.open(one, isWatch: false) == nil)
        use.close(one, isWatch: true, bytes: 0)
        #expect(use.open(one, isWatch: true) == nil)
    }

    @Test("Bytes of one caller and of all, which come back with the question")
    func bytes() {
        let use = use()
        #expect(use.open(one, isWatch: false) == nil)
        #expect(use.take(500, one) == nil)
        #expect(use.take(1, one) == .bytesOfCaller)
        #expect(use.take(500, two) == nil)
        #expect(use.take(1, CallerBlock(address: [])) == .bytes)
        #expect(use.take(Int.max, CallerBlock(address: [])) == .bytes)
        use.close(one, isWatch: false, bytes: 500)
        #expect(use.bytes == 500)
        #expect(use.take(500, one) == nil)
    }

    @Test("Messages are found in whatever pieces they come")
    func framing() {
        let bytes: [UInt8] =
            [0, 0, 0, 0, 3, 1, 2, 3, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0] + [UInt8](repeating: 9, count: 256) + [
                1, 255, 255, 255, 255, 7,
            ]
        let wanted = [
            MessageFraming.Head(isCompressed: false, length: 3), MessageFraming.Head(isCompressed: true, length: 0),
            MessageFraming.Head(isCompressed: false, length: 256),
            MessageFraming.Head(isCompressed: true, length: 0xFFFF_FFFF),
        ]
        for step in 1...bytes.count {
            var framing = MessageFraming()
            var found: [MessageFraming.Head] = []
            for start in stride(from: 0, to: bytes.count, by: step) {
                found += framing.read(ByteBuffer(bytes: bytes[start..<min(start + step, bytes.count)]))
            }
            #expect(found == wanted, "in pieces of \(step)")
        }
    }
}
