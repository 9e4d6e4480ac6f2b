import CTSS2
import Token

/// The memory of the kept value and its counter.
///
/// The value carries the number that the counter comes to with it. It is written before the counter counts, so a process that
/// dies in between leaves a value that is one ahead, never one behind: an older value put back is always behind. A counter
/// that the TPM's owner removed and made again begins above every other that the TPM ever had, so it is ahead of the value.
extension TPMConnection {
    private var handles: TPMHandles { TPMHandles(configuration.address.handles) }

    /// What is kept, after it was compared with the counter.
    func kept(_ name: String) throws(HSMError) -> KeptMemory {
        guard let bytes = try context.readMemory(memory(), authorization) else {
            // Written once when it is made, so this is not the memory that was made then: only its owner could do that.
            throw HSMError(
                .keptValueMismatch, "The TPM's memory of the audit chain was removed and made again; it tells nothing.")
        }
        let kept = try KeptMemory(decoding: bytes, name: name)
        if let counted = kept.counter {
            let counter = try counterValue()
            guard counted == counter || counted == counter + 1 else {
                throw HSMError(
                    .keptValueMismatch,
                    "The TPM's memory of the audit chain was written at \(counted), and its counter stands at \(counter): "
                        + "one of the two was put back or made again.")
            }
        }
        return kept
    }

    /// - Throws: `.keptValueMismatch` without a counter, and for one that is not ours.
    func counterValue() throws(HSMError) -> UInt64 {
        guard let value = try context.readCounter(counter(), authorization), value < .max - 2 else {
            throw HSMError(.keptValueMismatch, "The TPM's counter of the audit chain was removed and made again.")
        }
        return value
    }

    /// Keeps a value: value first, counter second.
    ///
    /// - Parameter kept: What is there; nil to take no notice of it.
    /// - Returns: What the counter stands at.
    func keep(_ value: [UInt8], as name: String, insteadOf kept: KeptMemory?) throws(HSMError) -> UInt64 {
        let memory = try memory()
        var count = try counterValue()
        // Another one died between its value and the counter.
        if let counted = kept?.counter, counted > count {
            try context.increment(counter(), authorization)
            count += 1
        }
        let next = KeptMemory(counter: count + 1, value: value)
        try context.writeMemory(memory, try next.encoded(name: name), authorization)
        try context.increment(counter(), authorization)
        return count + 1
    }

    /// Makes the counter for what was kept before there were counters, or what of both its owner removed.
    func makeKeeping() throws(HSMError) {
        if memoryHandle == nil, try context.memory(handles.memory) == nil {
            try context.makeMemory(
                handles.memory, size: TPMToken.keptBytes, mark: try TPMMark.of(TPMMark.kept(instance())),
                authorization: authorization, owner: try Authorization.ofOwner(configuration.ownerSource))
        }
        try makeCounter()
    }

    func makeCounter() throws(HSMError) {
        if counterHandle == nil, try context.memory(handles.counter) == nil {
            try context.makeCounter(
                handles.counter, mark: try TPMMark.of(TPMMark.keptCounter(instance())), authorization: authorization,
                owner: try Authorization.ofOwner(configuration.ownerSource))
        }
        let counter = try counter()
        if try context.readCounter(counter, authorization) == nil { try context.increment(counter, authorization) }
    }

    private func memory() throws(HSMError) -> ESYS_TR {
        if let memoryHandle { return memoryHandle }
        guard let found = try context.memory(handles.memory) else {
            throw HSMError(
                .keptValueMismatch,
                "The TPM's memory of the audit chain, 0x\(String(handles.memory, radix: 16)), was removed.")
        }
        memoryHandle = found.handle
        return found.handle
    }

    private func counter() throws(HSMError) -> ESYS_TR {
        if let counterHandle { return counterHandle }
        guard let found = try context.memory(handles.counter) else {
            throw HSMError(
                .keptValueMismatch,
                "The TPM's counter of the audit chain, 0x\(String(handles.counter, radix: 16)), was removed.")
        }
        guard found.isCounter else {
            throw HSMError(
                .keptValueMismatch,
                "The TPM's index 0x\(String(handles.counter, radix: 16)) is not the counter that was made; remove it with "
                    + "tpm2_nvundefine.")
        }
        counterHandle = found.handle
        return found.handle
    }
}
