import Capabilities
import Encodings
import TestSupport
import Testing

@testable import EDV

@Suite("Addresses and capabilities of vaults", .timeLimit(.minutes(10)))
struct AddressTests {
    @Test func theLastPartNamesTheVault() throws {
        let address = try VaultAddress("https://edv.example:8443/encrypted-data-vaults/DWPPbEVn1afJY4We3kpQmq")
        #expect(address.server == "https://edv.example:8443/encrypted-data-vaults")
        #expect(address.vault == "DWPPbEVn1afJY4We3kpQmq")
        #expect(address.documents.hasSuffix("/DWPPbEVn1afJY4We3kpQmq/documents"))
        #expect(
            VaultAddress.path(of: address.documents + "/a")
                == "/encrypted-data-vaults/DWPPbEVn1afJY4We3kpQmq/documents/a")
        #expect(try VaultAddress("http://[::1]:80/v").server == "http://[::1]:80")
    }

    @Test(
        "Everything that is no plain address of a vault is refused",
        arguments: [
            "", "https://", "https://edv.example", "https://edv.example/", "https:///v", "ftp://edv.example/v",
            "edv.example/v", "https://edv.example/a//v", "https://edv.example/../v", "https://edv.example/a/..",
            "https://edv.example/a/.", "https://user@edv.example/v", "https://edv.example/v?x=1",
            "https://edv.example/v#f", "https://edv.example/a b", "https://edv.example/%2e%2e/v",
            "https://edv.example/v\n", "https://edv.example\\@10.0.0.1/v", "file:///etc/passwd",
            "https://edv.example/é", "https://edv.example/a:b/v",
        ])
    func everythingThatIsNoPlainAddressOfAVaultIsRefused(_ url: String) {
        let error = #expect(throws: EDVError.self) { _ = try VaultAddress(url) }
        #expect(error?.code == .invalidArgument)
    }

    @Test func aLongAddressIsRefused() {
        #expect(throws: EDVError.self) {
            _ = try VaultAddress("https://edv.example/" + String(repeating: "a/", count: 2_000) + "v")
        }
    }

    @Test func aCapabilityMustNameAnInvokerBothActionsAndTheVault() throws {
        let did = try MemoryVault().invoker
        let sound = try VaultCapability(json: EDVFixture.capability(did).json(), vault: "V")
        #expect(sound.invoker.description == did)
        #expect(sound.headers[.read]?.hasSuffix("action=\"read\"") == true)
        let wrong = [
            EDVFixture.capability(nil), EDVFixture.capability("did:example:me"),
            EDVFixture.capability(String(did.prefix { $0 != "#" })), EDVFixture.capability(did, actions: ["read"]),
            EDVFixture.capability(did, target: "W"),
        ]
        for capability in wrong.map({ $0.json() }) + [[], Array("{}".utf8), [UInt8](repeating: 0x20, count: 70_000)] {
            let error = #expect(throws: EDVError.self) { _ = try VaultCapability(json: capability, vault: "V") }
            #expect(error?.code == .invalidArgument)
        }
    }

    @Test func mutatedAddressesAndCapabilitiesNeverCrash() throws {
        var mutator = Mutator(seed: 0xED6)
        let url = Array("https://edv.example:8443/encrypted-data-vaults/DWPPbEVn1afJY4We3kpQmq".utf8)
        let capability = EDVFixture.capability(try MemoryVault().invoker).json()
        for _ in 0..<3_000 {
            if let address = try? VaultAddress(String(decoding: mutator.mutate(url), as: UTF8.self)) {
                #expect(!address.vault.isEmpty && address.server.hasPrefix("http"))
                #expect(!address.documents.contains("?") && !address.documents.contains("@"))
            }
            if let parsed = try? VaultCapability(json: mutator.mutate(capability), vault: "V") {
                #expect(parsed.document.invocationTarget.id == "V")
            }
        }
    }
}
