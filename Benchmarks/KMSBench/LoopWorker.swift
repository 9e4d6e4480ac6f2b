import CP11Kit
import Dispatch
import Glibc

/// One thread's turn: one session, one key, the same operation until the deadline.
struct LoopWorker: Sendable {
    let module: BareModule
    let session: CK_SESSION_HANDLE
    let key: LoopKey

    /// Runs until `deadline` and returns the duration of every turn in nanoseconds.
    func run(until deadline: UInt64) throws -> [UInt32] {
        var durations: [UInt32] = []
        durations.reserveCapacity(1_000_000)
        var input = [UInt8](repeating: 0x5a, count: 32)
        var output = [UInt8](repeating: 0, count: 256)
        var nonce = [UInt8](repeating: 0, count: 12)
        var multiplication = LoopMultiplication()
        var start = MonotonicClock.now()
        while start < deadline {
            switch key.operation {
            case .p256Session, .p256Token, .secp256k1Session: try sign(CKM_ECDSA, &input, &output)
            case .ed25519Session: try sign(CKM_EDDSA, &input, &output)
            case .aesGCMToken, .aesGCMSession: try seal(turn: UInt64(durations.count), &nonce, &input, &output)
            case .bn254Session: try multiplication.run(module, session, key.handle)
            }
            let end = MonotonicClock.now()
            durations.append(UInt32(clamping: end &- start))
            start = end
        }
        return durations
    }

    private func sign(_ type: UInt, _ input: inout [UInt8], _ output: inout [UInt8]) throws {
        var mechanism = CK_MECHANISM(mechanism: CK_MECHANISM_TYPE(type), pParameter: nil, ulParameterLen: 0)
        var length = CK_ULONG(output.count)
        let functions = module.functions
        try BenchError.check("C_SignInit", functions.pointee.C_SignInit(session, &mechanism, key.handle))
        let result = functions.pointee.C_Sign(session, &input, CK_ULONG(input.count), &output, &length)
        try BenchError.check("C_Sign", result)
    }

    /// Each turn has its own nonce: a counter is enough for a throw-away key used by one thread.
    private func seal(
        turn: UInt64, _ nonce: inout [UInt8], _ input: inout [UInt8], _ output: inout [UInt8]
    ) throws {
        nonce.withUnsafeMutableBytes { $0.storeBytes(of: turn, as: UInt64.self) }
        let functions = module.functions
        var length = CK_ULONG(output.count)
        let (initialised, sealed) = nonce.withUnsafeMutableBufferPointer { nonce -> (CK_RV, CK_RV) in
            var parameters = CK_GCM_PARAMS()
            parameters.pIv = nonce.baseAddress
            parameters.ulIvLen = CK_ULONG(nonce.count)
            parameters.ulIvBits = CK_ULONG(nonce.count * 8)
            parameters.ulTagBits = 128
            return withUnsafeMutablePointer(to: &parameters) { parameters -> (CK_RV, CK_RV) in
                var mechanism = CK_MECHANISM(
                    mechanism: CK_MECHANISM_TYPE(CKM_AES_GCM), pParameter: parameters,
                    ulParameterLen: CK_ULONG(MemoryLayout<CK_GCM_PARAMS>.size))
                let initialised = functions.pointee.C_EncryptInit(session, &mechanism, key.handle)
                guard initialised == CKR_OK else { return (initialised, initialised) }
                let sealed = functions.pointee.C_Encrypt(session, &input, CK_ULONG(input.count), &output, &length)
                return (initialised, sealed)
            }
        }
        try BenchError.check("C_EncryptInit", initialised)
        try BenchError.check("C_Encrypt", sealed)
    }
}

/// CLOCK_MONOTONIC in nanoseconds; the same for every process of the machine.
enum MonotonicClock {
    static func now() -> UInt64 {
        DispatchTime.now().uptimeNanoseconds
    }

    /// What all threads of this process have used since it began, in nanoseconds.
    static func processorTime() -> UInt64 {
        // Microseconds (POSIX: CLOCKS_PER_SEC is a million).
        UInt64(clock()) * 1000
    }
}
