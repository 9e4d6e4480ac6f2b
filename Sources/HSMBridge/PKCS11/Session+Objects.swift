import CP11Kit
import Token

/// Objects and their attributes (PKCS #11 2.40 base, 5.7).
extension Session {
    /// All objects that match; a search reads every object of a soft token, so it never runs for a request.
    borrowing func find(_ template: KeyTemplate) throws(HSMError) -> [ObjectHandle] {
        try template.withCAttributesThrowing { (attributes, count) throws(HSMError) in
            try call("C_FindObjectsInit") { $0.pointee.C_FindObjectsInit($1, attributes, count) }
        }
        var found: [ObjectHandle] = []
        var chunk = [ObjectHandle](repeating: 0, count: 64)
        while true {
            var count = CK_ULONG()
            try call("C_FindObjects") { $0.pointee.C_FindObjects($1, &chunk, CK_ULONG(chunk.count), &count) }
            guard count > 0 else { break }
            found += chunk.prefix(Int(count))
        }
        try call("C_FindObjectsFinal") { $0.pointee.C_FindObjectsFinal($1) }
        return found
    }

    /// The raw value of an attribute; nil if the object does not have it or does not reveal it.
    borrowing func attribute(_ type: AttributeType, of object: ObjectHandle) throws(HSMError) -> [UInt8]? {
        var attribute = CK_ATTRIBUTE(type: type.rawValue, pValue: nil, ulValueLen: 0)
        let measured = result(of: "C_GetAttributeValue") { $0.pointee.C_GetAttributeValue($1, object, &attribute, 1) }
        let absent = [UInt(CKR_ATTRIBUTE_TYPE_INVALID), UInt(CKR_ATTRIBUTE_SENSITIVE)]
        if absent.contains(measured.rawValue) { return nil }
        guard measured == .ok else {
            let refusal = HSMError.returned(measured, by: "C_GetAttributeValue")
            // p11-kit's server fails when it is asked for the length of a list of mechanisms, and tells the list. Any
            // other answer stands: it says what became of the session.
            guard type == .allowedMechanisms, !refusal.isLostSession, measured.recovery != .reResolve,
                let value = readInOneCall(type, of: object)
            else { throw refusal }
            return value
        }
        guard attribute.ulValueLen != KMS_CK_UNAVAILABLE_INFORMATION else { return nil }
        guard attribute.ulValueLen > 0 else { return [] }
        guard attribute.ulValueLen <= Self.longestAttribute else {
            throw HSMError(.deviceFailure, "The token reports an attribute of \(attribute.ulValueLen) bytes.")
        }
        var value = [UInt8](repeating: 0, count: Int(attribute.ulValueLen))
        let capacity = value.count
        let read = value.withUnsafeMutableBytes { buffer in
            attribute.pValue = buffer.baseAddress
            return result(of: "C_GetAttributeValue") { $0.pointee.C_GetAttributeValue($1, object, &attribute, 1) }
        }
        guard read == .ok else { throw HSMError.returned(read, by: "C_GetAttributeValue") }
        guard attribute.ulValueLen <= CK_ULONG(capacity) else {
            throw HSMError(.deviceFailure, "The token wrote more of an attribute than it had announced.")
        }
        return Array(value.prefix(Int(attribute.ulValueLen)))
    }

    /// The value of an attribute read into a buffer that is large enough, without asking for its length first.
    private borrowing func readInOneCall(_ type: AttributeType, of object: ObjectHandle) -> [UInt8]? {
        var value = [UInt8](repeating: 0, count: 4096)
        let capacity = CK_ULONG(value.count)
        var attribute = CK_ATTRIBUTE(type: type.rawValue, pValue: nil, ulValueLen: capacity)
        let read = value.withUnsafeMutableBytes { buffer in
            attribute.pValue = buffer.baseAddress
            return result(of: "C_GetAttributeValue") { $0.pointee.C_GetAttributeValue($1, object, &attribute, 1) }
        }
        guard read == .ok, attribute.ulValueLen <= capacity else { return nil }
        return Array(value.prefix(Int(attribute.ulValueLen)))
    }

    /// How long an attribute's value is; nil if the object does not have it or does not reveal it.
    borrowing func length(_ type: AttributeType, of object: ObjectHandle) throws(HSMError) -> UInt? {
        var attribute = CK_ATTRIBUTE(type: type.rawValue, pValue: nil, ulValueLen: 0)
        let value = result(of: "C_GetAttributeValue") { $0.pointee.C_GetAttributeValue($1, object, &attribute, 1) }
        if [UInt(CKR_ATTRIBUTE_TYPE_INVALID), UInt(CKR_ATTRIBUTE_SENSITIVE)].contains(value.rawValue) { return nil }
        guard value == .ok else { throw HSMError.returned(value, by: "C_GetAttributeValue") }
        return attribute.ulValueLen == KMS_CK_UNAVAILABLE_INFORMATION ? nil : UInt(attribute.ulValueLen)
    }

    private static var longestAttribute: CK_ULONG { 64 * 1024 }

    borrowing func flag(_ type: AttributeType, of object: ObjectHandle) throws(HSMError) -> Bool? {
        guard let value = try attribute(type, of: object), value.count == MemoryLayout<CK_BBOOL>.size else {
            return nil
        }
        return value[0] != 0
    }

    borrowing func number(_ type: AttributeType, of object: ObjectHandle) throws(HSMError) -> UInt? {
        guard let value = try attribute(type, of: object), value.count == MemoryLayout<CK_ULONG>.size else {
            return nil
        }
        return value.withUnsafeBytes { $0.loadUnaligned(as: CK_ULONG.self) }
    }

    borrowing func text(_ type: AttributeType, of object: ObjectHandle) throws(HSMError) -> String? {
        try attribute(type, of: object).map { String(decoding: $0, as: UTF8.self) }
    }

    /// CKA_ALLOWED_MECHANISMS; nil if the object does not restrict its mechanisms.
    borrowing func allowedMechanisms(of object: ObjectHandle) throws(HSMError) -> [MechanismType]? {
        guard let value = try attribute(.allowedMechanisms, of: object) else { return nil }
        let width = MemoryLayout<CK_ULONG>.size
        return value.withUnsafeBytes { bytes in
            stride(from: 0, to: bytes.count - width + 1, by: width).map {
                MechanismType(rawValue: bytes.loadUnaligned(fromByteOffset: $0, as: CK_ULONG.self))
            }
        }
    }

    borrowing func create(_ template: KeyTemplate) throws(HSMError) -> ObjectHandle {
        try refuseUnguarded(template)
        var object = ObjectHandle()
        try template.withCAttributesThrowing { (attributes, count) throws(HSMError) in
            try call("C_CreateObject") { $0.pointee.C_CreateObject($1, attributes, count, &object) }
        }
        return object
    }

    borrowing func copy(_ object: ObjectHandle, _ template: KeyTemplate) throws(HSMError) -> ObjectHandle {
        var copy = ObjectHandle()
        try template.withCAttributesThrowing { (attributes, count) throws(HSMError) in
            try call("C_CopyObject") { $0.pointee.C_CopyObject($1, object, attributes, count, &copy) }
        }
        return copy
    }

    borrowing func set(_ template: KeyTemplate, on object: ObjectHandle) throws(HSMError) {
        try template.withCAttributesThrowing { (attributes, count) throws(HSMError) in
            try call("C_SetAttributeValue") { $0.pointee.C_SetAttributeValue($1, object, attributes, count) }
        }
    }

    borrowing func destroy(_ object: ObjectHandle) throws(HSMError) {
        try call("C_DestroyObject") { $0.pointee.C_DestroyObject($1, object) }
    }

    /// Refuses to make a secret that a soft token would keep in clear text on its disk.
    borrowing func refuseUnguarded(_ template: KeyTemplate) throws(HSMError) {
        let isSecret = template.attributes.contains {
            $0 == .objectClass(.secretKey) || $0 == .objectClass(.privateKey)
        }
        guard !isSecret || template.flag(.private) == true else {
            throw HSMError(.invalidArgument, "A secret or private key must be a private object.")
        }
    }
}

extension KeyTemplate {
    /// ``withCAttributes(_:)`` for a body that throws.
    func withCAttributesThrowing(
        _ body: (UnsafeMutablePointer<CK_ATTRIBUTE>, CK_ULONG) throws(HSMError) -> Void
    ) throws(HSMError) {
        let result = withCAttributes { attributes, count -> Result<Void, HSMError> in
            do throws(HSMError) { return .success(try body(attributes, count)) } catch { return .failure(error) }
        }
        try result.get()
    }
}
