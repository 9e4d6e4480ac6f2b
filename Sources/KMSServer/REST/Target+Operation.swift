extension Target.Action {
    /// What it does, for messages.
    var operation: StaticString {
        switch self {
        case .export: "export key"
        case .rotate: "rotate key"
        case .sign: "sign"
        case .verify: "verify"
        case .encrypt: "encrypt"
        case .decrypt: "decrypt"
        case .computemac: "compute MAC"
        case .verifymac: "verify MAC"
        case .disable: "disable key"
        case .enable: "enable key"
        case .restore: "restore key"
        case .signmulti: "sign multi"
        case .verifymulti: "verify multi"
        case .deriveproof: "derive proof"
        case .verifyproof: "verify proof"
        case .blind: "blind"
        case .correctnessproof: "correctness proof"
        case .signwithsecrets: "sign with secrets"
        case .attestation: "attest key"
        }
    }
}

extension Target.Agreement {
    /// What it does, for messages.
    var operation: StaticString {
        switch self {
        case .wrap: "wrap key"
        case .unwrap: "unwrap key"
        case .easy: "easy"
        case .easyOpen: "easy open"
        case .sealOpen: "seal open"
        }
    }
}
