import Encodings
public import Token

/// Chooses objects by what RFC 7512 calls them: `object=LABEL;id=%01;type=private`, all of which must hold.
public struct ObjectMatch: Sendable {
    private let uri: TokenURI

    /// - Throws: `.configurationRefused`, naming what is wrong with the text.
    public init(parsing text: String) throws(HSMError) {
        do throws(HSMError) {
            uri = try TokenURI(parsing: text.startsExactly(with: "pkcs11:") ? text : "pkcs11:" + text)
        } catch {
            throw HSMError(.configurationRefused, "--match: \(error.message)")
        }
        let namesToken =
            uri.token != nil || uri.serial != nil || uri.manufacturer != nil || uri.model != nil
            || uri.modulePath != nil || uri.pinSource != nil
        guard !namesToken, uri.object != nil || uri.id != nil || uri.type != nil else {
            throw HSMError(
                .configurationRefused,
                "--match takes 'object=LABEL', 'id=%01' and 'type=private|public|secret-key|cert|data', joined by ';'; "
                    + "tokens are named by --from and --to.")
        }
    }

    /// By bytes.
    func matches(_ object: CopiedObject) -> Bool {
        if let label = uri.object, !label.utf8.elementsEqual(object.label) { return false }
        if let id = uri.id, id != object.id { return false }
        return uri.type.map { $0.isExactly(object.uriType ?? "") } ?? true
    }
}
