import CP11Kit
import Glibc

/// A PKCS #11 module as a plain C program would use it: no pool, no recovery, no observer.
///
/// - Concurrency: the function list is written once by the module and read-only afterwards; the calls themselves are
///   safe from several threads because p11-kit initialises modules with CKF_OS_LOCKING_OK.
final class BareModule: Sendable {
    // Set in init and never written again; see the concurrency note above.
    nonisolated(unsafe) let functions: UnsafeMutablePointer<CK_FUNCTION_LIST>

    /// Loads through p11-kit, as the daemon does.
    init(path: String) throws {
        guard let functions = p11_kit_module_load(path, CInt(P11_KIT_MODULE_CRITICAL)) else {
            throw BenchError("p11_kit_module_load could not load \(path)")
        }
        let result = p11_kit_module_initialize(functions)
        guard result == CKR_OK else {
            p11_kit_module_release(functions)
            throw BenchError("C_Initialize of \(path) answered 0x\(String(result, radix: 16))")
        }
        self.functions = functions
    }

    deinit {
        p11_kit_module_finalize(functions)
        p11_kit_module_release(functions)
    }

    /// The slot whose token has this label.
    ///
    /// Initialises the module again, up to ten times, when the token is missing or damaged: a program that starts while
    /// another one logs in may find SoftHSM so, and would not see the token until the next initialisation.
    func slot(label: String) throws -> CK_SLOT_ID {
        for _ in 0..<10 {
            if let slot = try findSlot(label: label) { return slot }
            usleep(20_000)
            try BenchError.check("C_Finalize", p11_kit_module_finalize(functions))
            try BenchError.check("C_Initialize", p11_kit_module_initialize(functions))
        }
        throw BenchError("no token is labelled '\(label)'")
    }

    private func findSlot(label: String) throws -> CK_SLOT_ID? {
        // Room for more than there are: asking for the number first would race with a token that is just appearing.
        var slots = [CK_SLOT_ID](repeating: 0, count: 256)
        var count = CK_ULONG(slots.count)
        try BenchError.check("C_GetSlotList", functions.pointee.C_GetSlotList(1, &slots, &count))
        for slot in slots.prefix(Int(count)) {
            var info = CK_TOKEN_INFO()
            guard functions.pointee.C_GetTokenInfo(slot, &info) == CKR_OK else { continue }
            let padded = withUnsafeBytes(of: info.label) { String(decoding: $0, as: UTF8.self) }
            if padded == label.padding(toCount: 32) { return slot }
        }
        return nil
    }

    func openSession(slot: CK_SLOT_ID) throws -> CK_SESSION_HANDLE {
        var session: CK_SESSION_HANDLE = 0
        let flags = CK_FLAGS(CKF_SERIAL_SESSION | CKF_RW_SESSION)
        try BenchError.check("C_OpenSession", functions.pointee.C_OpenSession(slot, flags, nil, nil, &session))
        return session
    }
}

extension String {
    /// Token labels are blank-padded to a fixed width (PKCS #11 v2.40, CK_TOKEN_INFO).
    fileprivate func padding(toCount count: Int) -> String {
        self + String(repeating: " ", count: max(0, count - utf8.count))
    }
}
