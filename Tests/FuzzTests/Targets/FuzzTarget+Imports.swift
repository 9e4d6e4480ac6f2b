import EnclaveLock
import Encodings
import Foundation
import SecretMemory
import WorkingKeys

@testable import KMSCommand
@testable import TrustBlocImport

extension FuzzTarget {
    /// What `kmsd import` reads.
    static let imports = [
        FuzzTarget("tink-keyset", longest: 2048) { bytes throws(FuzzFinding) in
            guard let secret = locked(bytes) else { return }
            let shared = SharedSecret(secret)
            guard let keyset = parsed({ try TinkKeyset(reading: shared) }) else { return }
            try claim((1...64).contains(keyset.versions.count + keyset.leftOut), "a keyset of too many keys")
            try claim(keyset.versions.allSatisfy { $0.type == keyset.type }, "a keyset of two types")
        },
        FuzzTarget("stored-keyset", longest: 2048) { bytes throws(FuzzFinding) in
            guard let stored = parsed({ try StoredKeyset(json: bytes) }),
                let key = locked([UInt8](repeating: 7, count: 32))
            else { return }
            let shared = SharedSecret(key)
            for lock in [StoredKeyset.Lock.local(shared), .key(shared), .shares(shared)] {
                _ = parsed { try stored.open(with: [lock]) }
            }
        },
        FuzzTarget("trustbloc-dump") { bytes throws(FuzzFinding) in
            guard let dump = parsed({ try TrustBlocDump(reading: Data(bytes)) }) else { return }
            try claim(
                Set(dump.keystores.map { Array($0.id.utf8) }).count == dump.keystores.count, "a keystore is there twice"
            )
            for keystore in dump.keystores {
                try claim((keystore.createdAt ?? 0) >= 0, "a keystore of before 1970")
            }
        },
        FuzzTarget("share-file", longest: 1024) { bytes throws(FuzzFinding) in
            guard let callers = parsed({ try bytes.withUnsafeBytes { try ShareFile.callers($0) } }) else { return }
            for (keystore, caller) in callers {
                try claim(!keystore.isEmpty && !caller.user.isEmpty && caller.share != nil, "a line without its parts")
            }
        },
    ]
}
