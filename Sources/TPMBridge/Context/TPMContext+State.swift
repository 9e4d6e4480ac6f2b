import CTSS2
import Glibc
import Token

/// What the TPM says of itself, and clearing up.
extension TPMContext {
    /// Makes sure that the TPM was started; somebody else usually did it.
    func startUp() throws(HSMError) {
        let response = TPMResponse(rawValue: Esys_Startup(esys, TPM2_SU(TPM2_SU_CLEAR)))
        guard response == .success || response.rawValue == KMS_TPM2_RC_INITIALIZE else {
            if let late = late(response, "Esys_Startup") { throw late }
            if response.rawValue == KMS_TCTI_RC_IO_ERROR, transport.failure != 0 { throw unreachable(response) }
            throw .returned(response, by: "Esys_Startup")
        }
    }

    /// What an answer means that did not come in time; nil if that is not what happened.
    func late(_ response: TPMResponse, _ function: StaticString) -> HSMError? {
        guard response.rawValue == KMS_TCTI_RC_IO_ERROR, transport.isLate else { return nil }
        return HSMError(
            .tokenUnavailable,
            "The TPM at '\(transport.path)' did not answer \(function) in time (token-timeout): another program has it, or it "
                + "hangs.", cause: HSMError.Cause(response, function: "\(function)"))
    }

    /// The TPM could not even be connected to.
    private func unreachable(_ response: TPMResponse) -> HSMError {
        HSMError(
            .tokenUnavailable,
            "The TPM at '\(transport.path)' cannot be reached: \(String(cString: strerror(transport.failure))). "
                + Self.hint(transport.path, transport.failure),
            cause: HSMError.Cause(response, function: "Esys_Startup"))
    }

    static func hint(_ path: TPMAddress.Path, _ failure: Int32) -> String {
        switch (path, failure) {
        case (.device, EACCES): "Add the daemon's user to the group of the device, mostly 'tss'."
        case (.device, EBUSY): "Another program has it: only one may open it. /dev/tpmrm0 serves several."
        case (.device, _): "Is there a TPM, and is it switched on in the firmware?"
        default: "Is swtpm running?"
        }
    }

    /// Properties by number, from `first` on (TPM 2.0 Library part 2, table 23).
    func properties(from first: UInt32, count: Int) throws(HSMError) -> [UInt32: UInt32] {
        try capabilities(KMS_TPM2_CAP_TPM_PROPERTIES, first, count) { data in
            var found: [UInt32: UInt32] = [:]
            withUnsafeBytes(of: data.data.tpmProperties.tpmProperty) { raw in
                for entry in raw.bindMemory(to: TPMS_TAGGED_PROPERTY.self)
                    .prefix(Int(data.data.tpmProperties.count))
                {
                    found[entry.property] = entry.value
                }
            }
            return found
        }
    }

    /// Which registers have a property (TPM 2.0 Library part 2, section 6.14), by property.
    func pcrProperties(from first: UInt32, count: Int) throws(HSMError) -> [UInt32: Set<Int>] {
        try capabilities(KMS_TPM2_CAP_PCR_PROPERTIES, first, count) { data in
            var found: [UInt32: Set<Int>] = [:]
            withUnsafeBytes(of: data.data.pcrProperties.pcrProperty) { raw in
                for entry in raw.bindMemory(to: TPMS_TAGGED_PCR_SELECT.self)
                    .prefix(Int(data.data.pcrProperties.count))
                {
                    found[entry.tag] = withUnsafeBytes(of: entry.pcrSelect) { bitmap in
                        Set(
                            (0..<(8 * min(Int(entry.sizeofSelect), bitmap.count)))
                                .filter { bitmap[$0 / 8] >> UInt8($0 % 8) & 1 == 1 })
                    }
                }
            }
            return found
        }
    }

    /// Takes the TPM's word for how much data it accepts at once.
    func take(_ limits: [UInt32: UInt32]) {
        let told = Int(clamping: limits[KMS_TPM2_PT_INPUT_BUFFER] ?? 0)
        if told > 0 { longestMessage = min(told, Self.longestBuffer) }
        if let most = limits[KMS_TPM2_PT_NV_BUFFER_MAX] { longestMemory = Int(clamping: most) }
    }

    /// Handles in use, from `first` on.
    func handles(from first: UInt32) throws(HSMError) -> [UInt32] {
        try capabilities(KMS_TPM2_CAP_HANDLES, first, 64) { data in
            withUnsafeBytes(of: data.data.handles.handle) { raw in
                Array(raw.bindMemory(to: TPM2_HANDLE.self).prefix(Int(data.data.handles.count)))
            }
        }
    }

    /// Elliptic curves of the TPM.
    func curves() throws(HSMError) -> Set<UInt16> {
        try capabilities(KMS_TPM2_CAP_ECC_CURVES, 0, 64) { data in
            withUnsafeBytes(of: data.data.eccCurves.eccCurves) { raw in
                Set(raw.bindMemory(to: UInt16.self).prefix(Int(data.data.eccCurves.count)))
            }
        }
    }

    private func capabilities<R>(
        _ kind: UInt32, _ first: UInt32, _ count: Int, _ read: (TPMS_CAPABILITY_DATA) -> R
    ) throws(HSMError) -> R {
        try call("Esys_GetCapability") { data in
            var more = TPMI_YES_NO(0)
            return Esys_GetCapability(
                esys, Self.none, Self.none, Self.none, kind, first, UInt32(count), &more, data)
        } result: { (data: TPMS_CAPABILITY_DATA) throws(HSMError) in
            guard data.capability == kind else {
                throw HSMError(.deviceFailure, "The TPM answered another question than the one asked.")
            }
            return read(data)
        }
    }

    /// Flushes what a user of this TPM left behind; only where nobody else uses it.
    func flushLeftovers() throws(HSMError) {
        var system: OpaquePointer?
        guard Esys_GetSysContext(esys, &system) == 0 else { return }
        for first in [KMS_TPM2_TRANSIENT_FIRST, KMS_TPM2_LOADED_SESSION_FIRST] {
            for handle in try handles(from: first) {
                try call("Tss2_Sys_FlushContext") { Tss2_Sys_FlushContext(system, handle) }
            }
        }
    }

    /// A lockout in words for anybody, if that is what the error means; otherwise the error.
    func explained(_ error: HSMError) -> HSMError {
        guard error.code == .lockedOut else { return error }
        return (try? lockout()) ?? error
    }

    /// Why authorization values are refused now, in words for anybody; nil if they are not.
    func lockout() throws(HSMError) -> HSMError? {
        let permanent = try properties(from: KMS_TPM2_PT_PERMANENT, count: 1)[KMS_TPM2_PT_PERMANENT] ?? 0
        guard permanent & KMS_TPMA_PERMANENT_INLOCKOUT != 0 else { return nil }
        let found = try properties(from: KMS_TPM2_PT_LOCKOUT_COUNTER, count: 4)
        let limit = found[KMS_TPM2_PT_MAX_AUTH_FAIL] ?? 0
        let seconds = found[KMS_TPM2_PT_LOCKOUT_INTERVAL] ?? 0
        let heals =
            seconds > 0
            ? "it accepts them again within \(seconds) s"
            : "it does not heal by itself: reset its lockout with the lockout authorization"
        return HSMError(
            .lockedOut,
            "The TPM refuses authorization values after \(limit) wrong ones; \(heals).")
    }
}
