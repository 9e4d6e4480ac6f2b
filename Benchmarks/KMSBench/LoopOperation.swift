import ArgumentParser
import CP11Kit
import HSMBridge
import Token

/// What one turn of the direct PKCS #11 loop does.
enum LoopOperation: String, CaseIterable, ExpressibleByArgument, Sendable {
    /// ECDSA over a 32-byte digest with a session object: what a daemon that keeps hot keys can reach.
    case p256Session = "p256-session"
    /// The same with a token object, which the module re-reads for every use.
    case p256Token = "p256-token"
    /// ECDSA on secp256k1 with a session object: what results of decryptions are signed with.
    case secp256k1Session = "secp256k1-session"
    /// Ed25519 over 32 bytes with a session object.
    case ed25519Session = "ed25519-session"
    /// AES-256-GCM of 32 bytes with a token object: one opening of a lock key.
    case aesGCMToken = "aes-gcm-token"
    /// The same with a session object.
    case aesGCMSession = "aes-gcm-session"
    /// A multiplication on CurveFp254BNb with a session object: derive, read the x coordinate, destroy.
    case bn254Session = "bn254-session"

    var isTokenObject: Bool { self == .p256Token || self == .aesGCMToken }
    var isPublicKey: Bool { self != .aesGCMToken && self != .aesGCMSession }
}

/// One key of a loop, made for it and destroyed after it.
struct LoopKey: Sendable {
    let operation: LoopOperation
    let handle: CK_OBJECT_HANDLE
    private let publicHandle: CK_OBJECT_HANDLE?

    /// Makes the key in `session`; a session object lives as long as that session and serves all of the process.
    static func generate(
        _ operation: LoopOperation, in session: CK_SESSION_HANDLE, of module: BareModule
    ) throws -> LoopKey {
        operation.isPublicKey
            ? try generatePair(operation, session, module) : try generateAES(operation, session, module)
    }

    func destroy(in session: CK_SESSION_HANDLE, of module: BareModule) throws {
        try BenchError.check("C_DestroyObject", module.functions.pointee.C_DestroyObject(session, handle))
        guard let publicHandle else { return }
        try BenchError.check("C_DestroyObject", module.functions.pointee.C_DestroyObject(session, publicHandle))
    }

    private static func generatePair(
        _ operation: LoopOperation, _ session: CK_SESSION_HANDLE, _ module: BareModule
    ) throws -> LoopKey {
        let isEdwards = operation == .ed25519Session
        let isMultiplier = operation == .bn254Session
        // RFC 5480 secp256r1 and RFC 8410 id-Ed25519 as DER object identifiers, or explicit parameters.
        var parameters: [UInt8] =
            switch operation {
            case .ed25519Session: [0x06, 0x03, 0x2b, 0x65, 0x70]
            case .bn254Session: PairingParameters.bn254
            // SEC 2 secp256k1.
            case .secp256k1Session: [0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x0a]
            default: [0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07]
            }
        var mechanism = CK_MECHANISM(
            mechanism: CK_MECHANISM_TYPE(isEdwards ? CKM_EC_EDWARDS_KEY_PAIR_GEN : CKM_EC_KEY_PAIR_GEN),
            pParameter: nil, ulParameterLen: 0)
        var yes = CK_BBOOL(CK_TRUE)
        var no = CK_BBOOL(CK_FALSE)
        var onToken = operation.isTokenObject ? yes : no
        var publicHandle: CK_OBJECT_HANDLE = 0
        var handle: CK_OBJECT_HANDLE = 0
        let result = withUnsafeMutableBytes(of: &yes) { yes in
            withUnsafeMutableBytes(of: &no) { no in
                withUnsafeMutableBytes(of: &onToken) { onToken in
                    parameters.withUnsafeMutableBytes { parameters -> CK_RV in
                        var publicTemplate = [
                            attribute(CKA_TOKEN, onToken), attribute(isMultiplier ? CKA_DERIVE : CKA_VERIFY, yes),
                            attribute(CKA_EC_PARAMS, parameters),
                        ]
                        var privateTemplate = [
                            attribute(CKA_TOKEN, onToken), attribute(CKA_PRIVATE, yes), attribute(CKA_SENSITIVE, yes),
                            attribute(CKA_EXTRACTABLE, no), attribute(isMultiplier ? CKA_DERIVE : CKA_SIGN, yes),
                        ]
                        return module.functions.pointee.C_GenerateKeyPair(
                            session, &mechanism, &publicTemplate, CK_ULONG(publicTemplate.count), &privateTemplate,
                            CK_ULONG(privateTemplate.count), &publicHandle, &handle)
                    }
                }
            }
        }
        try BenchError.check("C_GenerateKeyPair", result)
        return LoopKey(operation: operation, handle: handle, publicHandle: publicHandle)
    }

    private static func generateAES(
        _ operation: LoopOperation, _ session: CK_SESSION_HANDLE, _ module: BareModule
    ) throws -> LoopKey {
        var mechanism = CK_MECHANISM(
            mechanism: CK_MECHANISM_TYPE(CKM_AES_KEY_GEN), pParameter: nil, ulParameterLen: 0)
        var yes = CK_BBOOL(CK_TRUE)
        var no = CK_BBOOL(CK_FALSE)
        var onToken = operation.isTokenObject ? yes : no
        var length = CK_ULONG(32)
        var handle: CK_OBJECT_HANDLE = 0
        let result = withUnsafeMutableBytes(of: &yes) { yes in
            withUnsafeMutableBytes(of: &no) { no in
                withUnsafeMutableBytes(of: &onToken) { onToken in
                    withUnsafeMutableBytes(of: &length) { length -> CK_RV in
                        var template = [
                            attribute(CKA_TOKEN, onToken), attribute(CKA_PRIVATE, yes), attribute(CKA_SENSITIVE, yes),
                            attribute(CKA_EXTRACTABLE, no), attribute(CKA_ENCRYPT, yes),
                            attribute(CKA_VALUE_LEN, length),
                        ]
                        return module.functions.pointee.C_GenerateKey(
                            session, &mechanism, &template, CK_ULONG(template.count), &handle)
                    }
                }
            }
        }
        try BenchError.check("C_GenerateKey", result)
        return LoopKey(operation: operation, handle: handle, publicHandle: nil)
    }

    private static func attribute(_ type: UInt, _ bytes: UnsafeMutableRawBufferPointer) -> CK_ATTRIBUTE {
        CK_ATTRIBUTE(type: CK_ATTRIBUTE_TYPE(type), pValue: bytes.baseAddress, ulValueLen: CK_ULONG(bytes.count))
    }
}
