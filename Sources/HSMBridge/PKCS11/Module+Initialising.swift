import CP11Kit
import SecretMemory
import Token

/// C_Initialize in the forms that modules want.
extension Module {
    /// Initialises a module, with a string for it in the reserved member of CK_C_INITIALIZE_ARGS if there is one.
    ///
    /// p11-kit's own call passes only what is configured for modules that are registered by name; one that is loaded by
    /// path gets its arguments from us.
    static func initialise(
        _ functions: UnsafeMutablePointer<CK_FUNCTION_LIST>, _ reserved: SharedSecret?
    ) -> ReturnValue {
        guard let reserved else { return ReturnValue(rawValue: p11_kit_module_initialize(functions)) }
        return reserved.withUnsafeBytes { text in
            // NSS reads one member behind the standard's last one and wants it to be NULL.
            let size = MemoryLayout<CK_C_INITIALIZE_ARGS>.size + MemoryLayout<UnsafeRawPointer?>.size
            return withUnsafeTemporaryAllocation(
                byteCount: size, alignment: MemoryLayout<CK_C_INITIALIZE_ARGS>.alignment
            ) { block in
                block.initializeMemory(as: UInt8.self, repeating: 0)
                var arguments = CK_C_INITIALIZE_ARGS()
                arguments.flags = CK_FLAGS(CKF_OS_LOCKING_OK)
                // The C interface takes a mutable pointer to a string that no module writes to.
                arguments.pReserved = UnsafeMutableRawPointer(mutating: text.baseAddress)
                block.storeBytes(of: arguments, as: CK_C_INITIALIZE_ARGS.self)
                return ReturnValue(rawValue: functions.pointee.C_Initialize(block.baseAddress))
            }
        }
    }

    static func notInitialised(_ path: String, _ value: ReturnValue, isToldSomething: Bool) -> HSMError {
        let hint: String
        if isToldSomething {
            hint = "It does not take what token-module-init-file holds, or takes nothing of the kind."
        } else if path.contains("softhsm") {  // exact: a hint for messages or a known fault, by a name in ASCII.
            hint = "Does it find its own configuration? SoftHSM looks where SOFTHSM2_CONF says."
        } else if value.rawValue == UInt(CKR_ARGUMENTS_BAD) {
            hint =
                "It wants an initialisation string: write it into a file of mode 0600 and name that file by "
                + "token-module-init-file. NSS takes configdir='sql:/path' certPrefix='' keyPrefix='' "
                + "secmod='secmod.db' flags= (see docs/pkcs11-vendors.md)."
        } else {
            hint = "Does it find its own configuration and its device? Its vendor says where it looks."
        }
        return HSMError(
            .moduleRefused, "The module '\(path)' cannot be initialised. \(hint)",
            cause: HSMError.Cause(value, function: "C_Initialize"))
    }
}
