import Foundation
import GRDB
import Testing

@testable import Audit

@Suite(.timeLimit(.minutes(10))) struct RevocationLedgerTests {
    private func revoke(_ subjects: [String], _ ledger: RevocationLedger) async throws {
        for subject in subjects { _ = try await ledger.revoke(subject, event: ChainFixture.event("revoke")) }
    }

    @Test func aRevocationLasts() async throws {
        let fixture = try ChainFixture()
        var chain = try fixture.open()
        var ledger = RevocationLedger(chain: chain, notary: nil)
        #expect(try !ledger.isRevoked("split:a:1"))
        try await revoke(["split:a:1", "split:b:2", "split:a:1"], ledger)
        #expect(try ledger.isRevoked("split:a:1"))
        #expect(try !ledger.isRevoked("split:a:2"))
        #expect(ledger.epoch == 2)
        await chain.close()
        chain = try fixture.open()
        ledger = RevocationLedger(chain: chain, notary: nil)
        #expect(try ledger.isRevoked("split:b:2"))
        try await revoke(["c"], ledger)
        #expect(ledger.epoch == 3)
        await chain.close()
        #expect(try fixture.records().map(\.kind) == [.start, .revocation, .revocation, .event, .start, .revocation])
        #expect(try fixture.records().map(\.epoch) == [0, 1, 2, 2, 2, 3])
    }

    @Test func aRevocationWithTheSameNameIsOneInOneBatch() async throws {
        let fixture = try ChainFixture()
        let chain = try fixture.open()
        let ledger = RevocationLedger(chain: chain, notary: nil)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for index in 0..<64 {
                group.addTask { _ = try await ledger.revoke("k\(index % 4)", event: ChainFixture.event("revoke")) }
            }
            try await group.waitForAll()
        }
        #expect(ledger.epoch == 4)
        await chain.close()
        #expect(try fixture.open().head.epoch == 4)
    }

    @Test func namesHaveBounds() async throws {
        let chain = try ChainFixture().open()
        let ledger = RevocationLedger(chain: chain, notary: nil)
        for name in ["", String(repeating: "x", count: 1025)] {
            await #expect { _ = try await ledger.revoke(name, event: ChainFixture.event()) } throws: {
                ($0 as? AuditError)?.code == .invalidArgument
            }
        }
        try await revoke([String(repeating: "x", count: 1024)], ledger)
        await chain.close()
    }

    @Test(arguments: [
        "DELETE FROM revocations WHERE epoch = 2",
        "DELETE FROM revocations WHERE epoch = 1",
        "UPDATE revocations SET subject = 'other' WHERE epoch = 1",
        "UPDATE revocations SET idx = 99 WHERE epoch = 2",
        "INSERT INTO revocations (epoch, idx, subject) VALUES (3, 1, 'more')",
        "UPDATE records SET body = x'00' WHERE idx = 2",
        "DELETE FROM records WHERE idx = 2",
        "DELETE FROM records WHERE idx = 3",
    ])
    func anEditedListIsRefused(_ sql: String) async throws {
        let fixture = try ChainFixture()
        let chain = try fixture.open()
        try await revoke(["a", "b"], RevocationLedger(chain: chain, notary: nil))
        _ = try await chain.record(ChainFixture.event())
        await chain.close()
        try fixture.edit(sql)
        #expect { try fixture.open() } throws: { ($0 as? AuditError)?.code == .damaged }
    }
}
