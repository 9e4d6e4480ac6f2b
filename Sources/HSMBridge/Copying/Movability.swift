import Token

/// Why an object cannot be moved, and what to do instead; found out before anything is tried.
struct Movability {
    let reason: String
    let remedy: String

    static func obstacle(_ object: CopiedObject) -> Movability? {
        if TokenObjects.isOfAnyDaemon(String(decoding: object.label, as: UTF8.self)) {
            return Movability(
                reason: "it belongs to a kmsd, whose manifest pins it to its token",
                remedy: "provision the target with `kmsd init`; a daemon's own keys are never copied")
        }
        switch object.objectClass {
        case .secretKey, .privateKey: return ofKey(object)
        case .publicKey:
            guard object.values[.modulus] != nil || object.values[.ecPoint] != nil else {
                return Movability(
                    reason:
                        "public keys of this CKA_KEY_TYPE, or one that does not show its numbers, cannot be carried",
                    remedy: "export it with the token's own tool")
            }
            return nil
        case .certificate:
            guard object.values[.value] != nil else {
                return Movability(
                    reason: "it has no CKA_VALUE", remedy: "import the certificate itself with the token's own tool")
            }
            return nil
        case .data:
            guard object.flags[.private] == false else {
                return Movability(
                    reason: "it is private (CKA_PRIVATE), and a data object cannot be wrapped: its content would pass "
                        + "through this program in the clear",
                    remedy: "write the content to the target with its own tool, on a machine that may see it")
            }
            return nil
        default:
            return Movability(
                reason: "objects of this class have no form in which they could be carried",
                remedy: "make it on the target with its own tool")
        }
    }

    private static let rebirth =
        "make a new key on the target and let it succeed this one (a new certificate, or data encrypted anew), or keep the "
        + "source for what is old"

    private static func ofKey(_ key: CopiedObject) -> Movability? {
        if key.flags[.extractable] == nil {
            return Movability(
                reason: "the source does not tell its CKA_EXTRACTABLE", remedy: "see `kmsd token lint` and the vendor")
        }
        if !key.has(.extractable) {
            return Movability(
                reason: "CKA_EXTRACTABLE is false: it never leaves its token, by no program", remedy: rebirth)
        }
        if key.has(.wrapWithTrusted) {
            return Movability(
                reason:
                    "CKA_WRAP_WITH_TRUSTED is true: only a key that the source's security officer marked as trusted may "
                    + "wrap it",
                remedy: "let the security officer bring it over with the vendor's tool")
        }
        if key.has(.alwaysAuthenticate) {
            return Movability(
                reason: "CKA_ALWAYS_AUTHENTICATE is true: each proof by use would want the PIN again",
                remedy: rebirth)
        }
        if let template = CarriedAttributes.templates.first(where: { key.values[$0] != nil }) {
            return Movability(
                reason: "its \(template.name) cannot be carried, and without it the key would be weaker",
                remedy: rebirth)
        }
        if let type = key.unread.first {
            return Movability(
                reason: "the source fails to tell its \(type.name)", remedy: "see `kmsd token lint` and the vendor")
        }
        return nil
    }
}
