import CP11Kit
import SecretMemory
import Token

/// An object handle; valid for one token during one login generation, and never stored.
typealias ObjectHandle = CK_OBJECT_HANDLE

/// One session with a token: movable between threads, never copied, so never used by two threads at once; closed when
/// the value dies.
///
/// After any error the session may have an operation left active; its owner drops it and opens another (10 µs).
struct Session: ~Copyable, Sendable {
    let door: CallDoor
    let slot: CK_SLOT_ID
    let handle: CK_SESSION_HANDLE
    /// The initialisation of the module that the handle belongs to.
    let epoch: UInt64

    /// What a session may do to token objects.
    enum Access: Sendable {
        case readOnly, readWrite
    }

    init(door: CallDoor, slot: CK_SLOT_ID, epoch: UInt64, access: Access) throws(HSMError) {
        var handle = CK_SESSION_HANDLE()
        let flags = access == .readWrite ? CKF_SERIAL_SESSION | CKF_RW_SESSION : CKF_SERIAL_SESSION
        try door.call("C_OpenSession", epoch: epoch) {
            $0.pointee.C_OpenSession(slot, CK_FLAGS(flags), nil, nil, &handle)
        }
        self.door = door
        self.slot = slot
        self.epoch = epoch
        self.handle = handle
    }

    deinit {
        let handle = handle
        _ = door.result(of: "C_CloseSession", epoch: epoch) { $0.pointee.C_CloseSession(handle) }
    }

    /// Makes one call on this session that must return CKR_OK.
    borrowing func call(
        _ function: StaticString, _ body: (UnsafeMutablePointer<CK_FUNCTION_LIST>, CK_SESSION_HANDLE) -> CK_RV
    ) throws(HSMError) {
        let handle = handle
        try door.call(function, epoch: epoch) { body($0, handle) }
    }

    /// Makes one call on this session and hands back what it returned.
    borrowing func result(
        of function: StaticString, _ body: (UnsafeMutablePointer<CK_FUNCTION_LIST>, CK_SESSION_HANDLE) -> CK_RV
    ) -> ReturnValue {
        let handle = handle
        return door.result(of: function, epoch: epoch) { body($0, handle) }
    }

    /// Whether the user is logged in, for this and so for every session of the process with this token.
    borrowing func isLoggedIn() throws(HSMError) -> Bool {
        var info = CK_SESSION_INFO()
        try call("C_GetSessionInfo") { $0.pointee.C_GetSessionInfo($1, &info) }
        return info.state == CK_STATE(CKS_RO_USER_FUNCTIONS) || info.state == CK_STATE(CKS_RW_USER_FUNCTIONS)
    }

    /// Logs the user in. Only `Connector` calls this, behind the guard against repeating a refused PIN.
    borrowing func loginResult(pin: borrowing SecretBytes) -> ReturnValue {
        pin.withUnsafeBytes { bytes in
            result(of: "C_Login") { functions, handle in
                // The C interface takes a mutable pointer to a PIN that no module writes to.
                let pointer = UnsafeMutablePointer(mutating: bytes.bindMemory(to: UInt8.self).baseAddress)
                return functions.pointee.C_Login(handle, CK_USER_TYPE(CKU_USER), pointer, CK_ULONG(bytes.count))
            }
        }
    }

    /// Random bytes of the token's generator.
    borrowing func random(_ count: Int) throws(HSMError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        try call("C_GenerateRandom") { $0.pointee.C_GenerateRandom($1, &bytes, CK_ULONG(count)) }
        return bytes
    }
}

extension ReturnValue {
    /// Whether C_Login left the user logged in: login belongs to the process, so another object may have been first.
    var isLoggedIn: Bool { self == .ok || rawValue == UInt(CKR_USER_ALREADY_LOGGED_IN) }
}
