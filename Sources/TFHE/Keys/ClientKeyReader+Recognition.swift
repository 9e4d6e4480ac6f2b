/// Only for messages: what rejected key files look like, told by headers and lengths alone.
extension ClientKeyReader {
    static func explained(
        _ error: TFHEError, _ bytes: UnsafeRawBufferPointer, expected: ClientKeyFormat
    ) -> TFHEError {
        guard let found = recognise(bytes), found != expected.rawValue else { return error }
        return .format("expected \(expected.rawValue), found \(found) (\(error.message))")
    }

    private static func recognise(_ bytes: UnsafeRawBufferPointer) -> String? {
        if let header = SafeHeader(recognisedIn: bytes) {
            switch (header.version, header.name) {
            case ("0.5", "high_level_api::ClientKey"): return ClientKeyFormat.safe05.rawValue
            case ("0.5", "core_crypto::LweSecretKey"): return ClientKeyFormat.concrete.rawValue
            default: return header.description
            }
        }
        var reader = BincodeReader(bytes, "client key")
        guard let first = try? reader.u64("count") else { return nil }
        if first == 0 { return ((try? reader.u8("integer key")) == 1) ? ClientKeyFormat.raw04.rawValue : nil }
        guard first <= 8192, (try? reader.skip(8 * Int(first) + 8, "keys")) != nil,
            let second = try? reader.u64("count"), second <= 8192,
            (try? reader.skip(8 * Int(second), "keys")) != nil
        else { return nil }
        // Two distributions of noise take 20 bytes each as Gaussians and 8 as uniform ones.
        switch reader.remaining {
        case 149, 137, 125: return ClientKeyFormat.raw05.rawValue
        case 165, 153, 141: return ClientKeyFormat.raw06.rawValue
        default: return nil
        }
    }
}
