import CP11Kit
import Encodings
import Token

/// CKA_CHECK_VALUE of AES keys: the first three bytes of a block of zeros encrypted under the key (PKCS #11 2.40 base,
/// 4.9.1), in hexadecimal here.
enum CheckValue {
    /// What the object says of itself; nil if it says nothing, which is not the same as an empty value.
    static func shown(by key: ObjectHandle, _ session: borrowing Session) throws(HSMError) -> String? {
        guard let value = try session.attribute(.checkValue, of: key), !value.isEmpty else { return nil }
        return Hexadecimal.encode(value)
    }

    /// What is true; nil for a key that encrypts no single block, as all of the daemon's own are meant to be.
    static func computed(with key: ObjectHandle, _ session: borrowing Session) throws(HSMError) -> String? {
        guard try session.flag(.encrypt, of: key) == true else { return nil }
        // A session of its own: a refusal may leave an operation active.
        let own = try Session(door: session.door, slot: session.slot, epoch: session.epoch, access: .readOnly)
        let begun = own.result(of: "C_EncryptInit") { functions, handle in
            Mechanism.plain(.aesECB).withCMechanism { functions.pointee.C_EncryptInit(handle, $0, key) }
        }
        guard begun == .ok else { return nil }
        var zeros = [UInt8](repeating: 0, count: 16)
        var block = [UInt8](repeating: 0, count: 32)
        var length = CK_ULONG(block.count)
        let ended = own.result(of: "C_Encrypt") {
            $0.pointee.C_Encrypt($1, &zeros, CK_ULONG(zeros.count), &block, &length)
        }
        guard ended == .ok, length == 16 else { return nil }
        return Hexadecimal.encode(Array(block.prefix(3)))
    }
}
