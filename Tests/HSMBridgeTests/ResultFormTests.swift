import Encodings
import Testing
import Token

@testable import HSMBridge

@Suite("Forms that the result key signs", .timeLimit(.minutes(10)))
struct ResultFormTests {
    @Test("What begins with a DER SEQUENCE is signed by the result key and by no other")
    func whatBeginsWithADERSequenceIsSignedByTheResultKeyAndByNoOther() throws {
        let sequence = try #require(ResultMessage(sequence: [0x30, 0x03, 0x02, 0x01, 0x01])).encoded
        try KeyRole.result.checkSigning(sequence)
        #expect(throws: HSMError.self) { try KeyRole.audit.checkSigning(sequence) }
        for other: [UInt8] in [[], [0x31, 0x00], [0x00, 0x30], ResultMessage([0x30]).encoded] {
            #expect(ResultMessage(sequence: other)?.encoded == nil)
        }
    }

    @Test("A labelled form of another key is none of its own")
    func aLabelledFormOfAnotherKeyIsNoneOfItsOwn() throws {
        let receipt = [0, 0, 0, 15] + Array("kmsd/receipt/v1".utf8)
        #expect(throws: HSMError.self) { try KeyRole.result.checkSigning(receipt) }
        try KeyRole.audit.checkSigning(receipt)
    }
}
