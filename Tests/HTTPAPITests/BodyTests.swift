import Testing

@testable import HTTPAPI

/// A body's members are asked for by name: each case stands where its name does.
@Suite(.timeLimit(.minutes(10))) struct BodyTests {
    @Test func membersAreReadByNameInEitherGeneration() throws {
        let present = Array(#"{"nonce":"bg==","associated_data":"YQ==","ciphertext":"Yw=="}"#.utf8)
        try present.withUnsafeBytes { bytes in
            let body = try JSONBody<DecryptBody>(bytes)
            #expect(try body.bytes(.ciphertext) == Array("c".utf8))
            #expect(try body.optionalBytes(.associatedData) == Array("a".utf8))
            #expect(try body.bytes(.nonce) == Array("n".utf8))
        }
        let first = Array(#"{"nonce":"bg==","aad":"YQ==","cipherText":"Yw=="}"#.utf8)
        try first.withUnsafeBytes { bytes in
            let body = try JSONBody<DecryptBody>(bytes, names: DecryptBody.firstNames)
            #expect(try body.optionalBytes(.associatedData) == Array("a".utf8))
            #expect(try body.bytes(.ciphertext) == Array("c".utf8))
        }
    }

    @Test func everyCaseHasAPlaceAndANameOfItsOwn() {
        func check<Key: BodyMember>(_ type: Key.Type) {
            #expect(Key.allCases.map(\.rawValue) == Array(0..<Key.names.count))
            #expect(Key.allCases.map(\.name.description) == Key.names.map(\.description))
            #expect(Set(Key.names.map(\.description)).count == Key.names.count)
        }
        check(CreateKeystoreBody.self)
        check(ImportKeyBody.self)
        check(DeriveProofBody.self)
        check(WrapBody.self)
        check(WrappedKeyBody.self)
        check(EasyOpenBody.self)
        check(SplitKeyBody.self)
        check(SetUpBody.self)
        check(TransactionBody.self)
    }

    @Test func aMemberThatIsMissingIsCalledByItsName() {
        let empty = Array("{}".utf8)
        empty.withUnsafeBytes { bytes in
            _ = #expect(throws: JSONError("'ciphertext' is missing")) {
                try JSONBody<DecryptBody>(bytes).bytes(.ciphertext)
            }
        }
    }
}
