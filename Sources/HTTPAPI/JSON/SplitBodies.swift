// Source: split-key API, bodies of ZVault and ZAuth; names count in their case.

enum WalletBody: Int, BodyMember {
    case suite

    var name: StaticString { "suite" }
    static let names = allNames
}

/// The mnemonic is read and forgotten: kept, it would be the master key beside its anchor.
enum StoreBody: Int, BodyMember {
    case privateKey, mnemonic, suite

    var name: StaticString {
        switch self {
        case .privateKey: "private_key"
        case .mnemonic: "mnemonic"
        case .suite: "suite"
        }
    }
    static let names = allNames
}

enum SplitKeyBody: Int, BodyMember {
    case restrictions, expiresAt, allowsMessages, verifiesHash, returnsShareOnce, suite

    var name: StaticString {
        switch self {
        case .restrictions: "restrictions"
        case .expiresAt: "expires_at"
        case .allowsMessages: "allow_message_signing"
        case .verifiesHash: "verify_txn_hash"
        case .returnsShareOnce: "return_user_share_once"
        case .suite: "suite"
        }
    }
    static let names = allNames
}

enum ShareBody: Int, BodyMember {
    case publicKey, user

    var name: StaticString {
        switch self {
        case .publicKey: "public_key"
        case .user: "target_user_id"
        }
    }
    static let names = allNames
}

enum RestrictionsBody: Int, BodyMember {
    case restrictions, allowsMessages

    var name: StaticString {
        switch self {
        case .restrictions: "restrictions"
        case .allowsMessages: "allow_message_signing"
        }
    }
    static let names = allNames
}

enum SetUpBody: Int, BodyMember {
    case userID, clientID, clientKey, publicKey, share, peerKey, restrictions, expiresAt, isRevoked, correction, anchor,
        allowsMessages, verifiesHash

    var name: StaticString {
        switch self {
        case .userID: "user_id"
        case .clientID: "client_id"
        case .clientKey: "client_key"
        case .publicKey: "public_key"
        case .share: "private_key"
        case .peerKey: "peer_public_key"
        case .restrictions: "restrictions"
        case .expiresAt: "expired_at"
        case .isRevoked: "is_revoked"
        case .correction: "correction"
        case .anchor: "anchor"
        case .allowsMessages: "allow_message_signing"
        case .verifiesHash: "verify_txn_hash"
        }
    }
    static let names = allNames
}

/// Between our own two roles only.
enum AnchorBody: Int, BodyMember {
    case clientID, scalar, suite

    var name: StaticString {
        switch self {
        case .clientID: "client_id"
        case .scalar: "scalar"
        case .suite: "suite"
        }
    }
    static let names = allNames
}

enum SignMessageBody: Int, BodyMember {
    case hash, signature, clientID

    var name: StaticString {
        switch self {
        case .hash: "hash"
        case .signature: "signature"
        case .clientID: "client_id"
        }
    }
    static let names = allNames
}

/// In the order in which a transaction is read and answered.
enum TransactionBody: Int, BodyMember {
    case hash, signature, clientID, publicKey, receiver, value, nonce, createdAt, data, type, fee, version, chainID,
        output, outputHash, status

    var name: StaticString {
        switch self {
        case .hash: "hash"
        case .signature: "signature"
        case .clientID: "client_id"
        case .publicKey: "public_key"
        case .receiver: "to_client_id"
        case .value: "transaction_value"
        case .nonce: "transaction_nonce"
        case .createdAt: "creation_date"
        case .data: "transaction_data"
        case .type: "transaction_type"
        case .fee: "transaction_fee"
        case .version: "version"
        case .chainID: "chain_id"
        case .output: "transaction_output"
        case .outputHash: "txn_output_hash"
        case .status: "transaction_status"
        }
    }
    static let names = allNames
}

/// What the chain's contracts read in a transaction's data.
enum TransactionDataBody: Int, BodyMember {
    case name, input

    var name: StaticString {
        switch self {
        case .name: "name"
        case .input: "input"
        }
    }
    static let names = allNames
}
