import CTSS2

/// A ``Transport`` as the TSS wants it: a table of C functions (TCG TSS 2.0 TCTI, section 3.2).
///
/// Our own rather than the library's loader: responses have a deadline and a bound, and no shared library is loaded by
/// a name out of the configuration.
final class Interface {
    private let table: UnsafeMutablePointer<KMS_TCTI>
    let transport: Transport

    init(_ transport: Transport) {
        self.transport = transport
        table = .allocate(capacity: 1)
        table.initialize(to: KMS_TCTI())
        table.pointee.common.magic = 0x6B6D_7364_5443_5449
        table.pointee.common.version = 1
        table.pointee.common.transmit = { context, size, command in
            guard let transport = Interface.transport(of: context), let command else {
                return KMS_TCTI_RC_BAD_REFERENCE
            }
            let bytes = UnsafeRawBufferPointer(start: command, count: size)
            return transport.send(bytes) ? 0 : KMS_TCTI_RC_IO_ERROR
        }
        table.pointee.common.receive = { context, size, response, _ in
            guard let transport = Interface.transport(of: context), let size else { return KMS_TCTI_RC_BAD_REFERENCE }
            // A caller may ask for the length first; the answer "as long as any" is allowed.
            guard let response else {
                size.pointee = Transport.longestResponse
                return 0
            }
            let buffer = UnsafeMutableRawBufferPointer(start: response, count: size.pointee)
            guard buffer.count >= Transport.headerLength else { return KMS_TCTI_RC_INSUFFICIENT_BUFFER }
            guard let length = transport.receive(into: buffer) else { return KMS_TCTI_RC_IO_ERROR }
            size.pointee = length
            return 0
        }
        table.pointee.common.finalize = { _ in }
        table.pointee.common.cancel = { _ in KMS_TCTI_RC_NOT_IMPLEMENTED }
        table.pointee.common.getPollHandles = { _, _, _ in KMS_TCTI_RC_NOT_IMPLEMENTED }
        table.pointee.common.setLocality = { _, _ in KMS_TCTI_RC_NOT_IMPLEMENTED }
        // Unretained: the table dies with this object, which outlives the ESYS context.
        table.pointee.owner = Unmanaged.passUnretained(transport).toOpaque()
    }

    deinit { table.deallocate() }

    /// What the TSS takes for a TCTI context.
    var context: OpaquePointer { OpaquePointer(table) }

    private static func transport(of context: OpaquePointer?) -> Transport? {
        guard let context, let owner = UnsafeMutablePointer<KMS_TCTI>(context).pointee.owner else { return nil }
        return Unmanaged<Transport>.fromOpaque(owner).takeUnretainedValue()
    }
}
