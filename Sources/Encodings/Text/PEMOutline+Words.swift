/// What is wrong with a file, in words to be put behind its name.
extension PEMOutline {
    /// What a file of keys is that cannot be one; nil if it has a block of a private key that is not encrypted.
    ///
    /// - Parameter allowed: Labels of blocks that are read.
    package func problemOfKey(allowed: [String]) -> String? {
        switch oddity {
        case .empty: return "is empty: put the private key there, in PEM"
        case .der:
            return
                "is binary (DER or PKCS#12) and no PEM private key: convert it with `openssl pkey -inform DER -in FILE "
                + "-out NEW`, or a PKCS#12 store with `openssl pkcs12 -in FILE -nocerts -nodes -out NEW`"
        case let oddity?:
            if let words = Self.words(oddity) { return words }
            return "holds no PEM private key: nothing in it begins with -----BEGIN"
        case nil: break
        }
        let keys = blocks.filter { $0.label.endsExactly(with: "PRIVATE KEY") }
        let encrypted =
            "is encrypted with a passphrase, which nobody is there to type: decrypt it with "
            + "`openssl pkey -in FILE -out NEW` and let the file's mode, or a credential, protect it"
        if keys.contains(where: { $0.isEncrypted || $0.label.isExactly("ENCRYPTED PRIVATE KEY") }) { return encrypted }
        guard let key = keys.first else { return "holds \(instead(of: "private key"))" }
        guard allowed.containsExactly(key.label) else {
            let remedy =
                key.label.isExactly("OPENSSH PRIVATE KEY")
                ? "`ssh-keygen -p -N '' -m PKCS8 -f COPY` converts a copy of it"
                : "`openssl pkey -in FILE -out NEW` may"
            return "holds '\(key.label)', which is not read here; wanted is 'PRIVATE KEY' (PKCS#8): \(remedy)"
        }
        guard key.isClosed else {
            return "is cut off: the private key in line \(key.line) has no line -----END \(key.label)-----"
        }
        return nil
    }

    /// What a file of certificates is that cannot be one; nil if it has a block with a certificate.
    package func problemOfCertificates() -> String? {
        switch oddity {
        case .empty: return "is empty: put the certificates there, in PEM"
        case .der:
            return
                "is binary (DER, PKCS#7 or PKCS#12) and no PEM: convert a certificate with `openssl x509 -inform DER -in "
                + "FILE -out NEW`, a PKCS#7 file with `openssl pkcs7 -inform DER -print_certs`, a PKCS#12 store with "
                + "`openssl pkcs12 -nokeys`"
        case let oddity?:
            if let words = Self.words(oddity) { return words }
            return "holds no PEM certificate: nothing in it begins with -----BEGIN CERTIFICATE-----"
        case nil: break
        }
        if let trusted = blocks.first(where: { $0.label.isExactly("TRUSTED CERTIFICATE") }) {
            return "holds a TRUSTED CERTIFICATE in line \(trusted.line), a form of OpenSSL alone: convert it with "
                + "`openssl x509 -in FILE -out NEW`"
        }
        guard let first = blocks.first(where: \.isCertificate) else { return "holds \(instead(of: "certificate"))" }
        if let open = blocks.first(where: { $0.isCertificate && !$0.isClosed }) {
            return "is cut off: the certificate in line \(open.line) has no line -----END \(open.label)-----"
        }
        _ = first
        return nil
    }

    /// What the blocks are, where none is what is wanted.
    private func instead(of wanted: String) -> String {
        let label = blocks.first?.label ?? ""
        let isSwapped = label.endsExactly(with: "PRIVATE KEY") || label.endsExactly(with: "CERTIFICATE")
        let known = [
            "CERTIFICATE": "a certificate and no private key",
            "CERTIFICATE REQUEST":
                "a certificate request: an authority must sign it first, and its answer is the certificate",
            "NEW CERTIFICATE REQUEST":
                "a certificate request: an authority must sign it first, and its answer is the certificate",
            "PKCS7": "a PKCS#7 store: take the certificates out with `openssl pkcs7 -print_certs -in FILE -out NEW`",
            "CMS": "a CMS store: take the certificates out with `openssl pkcs7 -print_certs -in FILE -out NEW`",
            "X509 CRL": "a list of revoked certificates and no \(wanted)",
            "PUBLIC KEY": "a public key and no \(wanted)", "RSA PUBLIC KEY": "a public key and no \(wanted)",
            "SSH2 PUBLIC KEY": "a public key of SSH and no \(wanted)",
        ]
        if wanted == "certificate", label.endsExactly(with: "PRIVATE KEY") {
            return "a private key and no PEM certificate: are the two settings exchanged?"
        }
        let found = known.first { $0.key.isExactly(label) }?.value ?? "'\(label)' and no PEM \(wanted)"
        return found + (isSwapped ? ": are the two settings exchanged?" : "")
    }

    private static func words(_ oddity: Oddity) -> String? {
        switch oddity {
        case .byteOrderMark:
            "begins with a byte order mark, which hides its first line: save it without (`tail -c +4 FILE > NEW`)"
        case .utf16: "is UTF-16 text: convert it with `iconv -f UTF-16 -t US-ASCII FILE > NEW`"
        case .indented: "has its lines indented, and PEM begins at the left margin: take the blanks away"
        case .oneLine:
            "has -----BEGIN in the midst of a line: PEM needs line breaks, not the two characters \\n or a prefix"
        case .bareBase64: "is Base64 without the lines -----BEGIN …----- and -----END …----- around it: add them"
        case .empty, .der, .somethingElse: nil
        }
    }
}

extension PEMOutline.Block {
    /// Both labels are read everywhere.
    package var isCertificate: Bool { label.isExactly("CERTIFICATE") || label.isExactly("X509 CERTIFICATE") }
}
