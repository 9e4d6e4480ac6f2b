import OutboundHTTP
import Testing

@testable import EDV

@Suite("Calls to a vault", .timeLimit(.minutes(10)))
struct ClientTests {
    private let fixture: EDVFixture
    private let vault: MemoryVault
    private let client: VaultClient
    private let id: String

    init() throws {
        fixture = try EDVFixture()
        vault = try MemoryVault()
        client = try fixture.client(vault)
        id = try DocumentIdentifier.make(for: "k1", mac: fixture.mac)
    }

    private let documents = "/encrypted-data-vaults/V/documents"

    @Test func aNewRecordCostsThreeCallsOneThatIsThereTwoAReadOne() async throws {
        try await client.write([1], for: "k1")
        #expect(vault.calls == ["GET \(documents)/\(id)", "POST \(documents)", "POST \(documents)/\(id)"])
        try await client.write([2], for: "k1")
        #expect(vault.calls.suffix(2) == ["GET \(documents)/\(id)", "POST \(documents)/\(id)"])
        #expect(try await client.read("k1") == [2])
        #expect(vault.calls.count == 6)
        #expect(Array(vault.documents.keys) == [id])
    }

    @Test func whatIsNotThereReadsAsNothingAndIsRemovedAlready() async throws {
        #expect(try await client.read("k1") == nil)
        try await client.remove("k1")
        try await client.write([1], for: "k1")
        try await client.remove("k1")
        #expect(try await client.read("k1") == nil)
        try await client.probe()
    }

    @Test func documentsExchangedRenamedAndOfAnotherKeystoreAreDamaged() async throws {
        try await client.write([1], for: "k1")
        try await client.write([2], for: "k2")
        let other = try DocumentIdentifier.make(for: "k2", mac: fixture.mac)
        let first = try #require(vault.documents[id])
        let second = try #require(vault.documents[other])
        vault.documents = [id: second, other: first]
        await expect(.damaged) { _ = try await client.read("k1") }
        // Also when the server changes the name in the document to the one that was asked for.
        var renamed = try VaultDocument(decoding: second)
        renamed.id = id
        vault.documents = [id: renamed.encoded()]
        await expect(.damaged) { _ = try await client.read("k1") }
        for body in [[], Array("{}".utf8), Array("[]".utf8), [UInt8](repeating: 0x5B, count: 100_000)] {
            vault.documents = [id: body]
            await expect(.damaged) { _ = try await client.read("k1") }
        }
    }

    @Test(arguments: [301, 400, 401, 403, 409, 418, 500, 503])
    func failingServersAreToldApart(_ status: Int) async throws {
        vault.override { _ in OutboundAnswer(status: status) }
        let code: EDVError.Code = status == 401 || status == 403 ? .unauthorized : .refused
        await expect(code) { _ = try await client.read("k1") }
        await expect(code) { try await client.write([1], for: "k1") }
        await expect(code) { try await client.remove("k1") }
        await expect(code) { try await client.probe() }
    }

    @Test func aRefusedAddressIsTheCallersFaultNoAnswerTheServers() async throws {
        vault.override { _ throws(OutboundError) in throw OutboundError(.addressRefused, "10.0.0.1 is private") }
        await expect(.invalidArgument) { try await client.probe() }
        vault.override { _ throws(OutboundError) in throw OutboundError(.unreachable, "no route") }
        await expect(.unreachable) { try await client.probe() }
        let long = [UInt8](repeating: 0, count: VaultClient.longestAnswer + 1)
        vault.override { _ in OutboundAnswer(status: 200, body: long) }
        await expect(.unreachable) { _ = try await client.read("k1") }
    }

    @Test func aServerThatNeverAnswersEndsAtTheTimeOutWhateverTheNumberOfCalls() async throws {
        vault.override { _ in
            try? await Task.sleep(for: .seconds(600))
            return nil
        }
        let client = try fixture.client(vault, timeout: .milliseconds(50))
        await expect(.unreachable) { try await client.write([1], for: "k1") }
        #expect(vault.calls.count == 1)
    }

    private func expect(_ code: EDVError.Code, _ body: () async throws -> Void) async {
        let error = await #expect(throws: EDVError.self) { try await body() }
        #expect(error?.code == code)
    }
}
