import CTSS2
import Glibc
import SecretMemory
import Token

/// The TSS's sized buffers (`TPM2B_…`: a 16-bit length, then that many bytes) as Swift's arrays.
enum TPMBytes {
    private static let offset = MemoryLayout<UInt16>.size

    /// Writes length and bytes; what does not fit is a mistake of ours.
    static func fill<T>(_ buffer: inout T, _ bytes: UnsafeRawBufferPointer) {
        withUnsafeMutableBytes(of: &buffer) { raw in
            precondition(bytes.count <= raw.count - offset, "a sized buffer holds what is put into it")
            raw.storeBytes(of: UInt16(bytes.count), as: UInt16.self)
            UnsafeMutableRawBufferPointer(rebasing: raw[offset...]).copyMemory(from: bytes)
        }
    }

    static func fill<T>(_ buffer: inout T, _ bytes: [UInt8]) { bytes.withUnsafeBytes { fill(&buffer, $0) } }

    /// The bytes; a length beyond the buffer is cut.
    static func array<T>(_ buffer: T) -> [UInt8] {
        withUnsafeBytes(of: buffer) { raw in
            let count = min(Int(raw.load(as: UInt16.self)), raw.count - offset)
            return Array(raw[offset..<(offset + count)])
        }
    }

    /// The sized buffer at an address as a number of `width` bytes, without a copy outside locked memory.
    static func secret(_ buffer: UnsafeRawPointer, width: Int) throws(HSMError) -> SharedSecret {
        let count = Int(buffer.load(as: UInt16.self))
        guard count <= width else { throw HSMError(.deviceFailure, "The TPM gave a number wider than its curve.") }
        do {
            return SharedSecret(
                try SecretBytes.make(count: width) { output in
                    UnsafeMutableRawBufferPointer(rebasing: output[(width - count)...])
                        .copyMemory(from: UnsafeRawBufferPointer(start: buffer + offset, count: count))
                })
        } catch {
            throw HSMError(.overloaded, "No locked memory for a secret: \(error).")
        }
    }

    static func wipe<T>(_ value: inout T) {
        withUnsafeMutableBytes(of: &value) { raw in
            if let base = raw.baseAddress { explicit_bzero(base, raw.count) }
        }
    }

    /// A number as wide as its curve asks; the TSS drops leading zeros.
    static func padded(_ bytes: [UInt8], to width: Int) -> [UInt8]? {
        bytes.count <= width ? [UInt8](repeating: 0, count: width - bytes.count) + bytes : nil
    }
}
