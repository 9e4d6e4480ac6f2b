import ArgumentParser
import Encodings
import Foundation
import KMSDaemon

/// Which keystore a verb is about: one spelling for all verbs.
struct KeystoreReference: ParsableArguments {
    @Option(help: "The keystore: its id, or the URL that `keystore create` printed. [KMS_CLI_KEYSTORE_ID]")
    var keystore: String?

    /// - Parameter argument: The same given without the option's name.
    /// - Throws: ``CommandFailure`` if none is named, or two.
    func identifier(or argument: String? = nil) throws -> String {
        guard keystore == nil || argument == nil else {
            throw CommandFailure(.usage, code: "usage", "--keystore: give the keystore once, not twice")
        }
        let text = keystore ?? argument ?? RemoteOptions.variable("KMS_CLI_KEYSTORE_ID")
        guard let text, let path = ReferencePath(text), path.key == nil, Self.isIdentifier(path.keystore) else {
            throw CommandFailure(
                .usage, code: "usage",
                "--keystore: expected a keystore's id, or the URL that `keystore create` printed")
        }
        return path.keystore
    }

    /// It becomes a part of a path.
    static func isIdentifier(_ text: String) -> Bool {
        (1...64).contains(text.utf8.count) && text.utf8.allSatisfy { ReferencePath.isWord($0) }
    }
}

/// Which key a verb is about.
struct KeyReference: ParsableArguments {
    @Argument(help: "The key: its id, or the URL that `key create` printed.") var key: String
    @OptionGroup var place: KeystoreReference

    /// The key's path at a server.
    ///
    /// - Throws: ``CommandFailure`` if key or keystore is not named.
    func path() throws -> String {
        guard let named = ReferencePath(key) else { throw Self.unusable }
        guard let identifier = named.key else {
            guard Self.isIdentifier(named.keystore) else { throw Self.unusable }
            return "/v1/keystores/\(try place.identifier())/keys/\(named.keystore)"
        }
        guard KeystoreReference.isIdentifier(named.keystore), Self.isIdentifier(identifier) else { throw Self.unusable }
        if place.keystore != nil {
            guard try place.identifier() == named.keystore else {
                throw CommandFailure(.usage, code: "usage", "--keystore: the key's URL names another keystore")
            }
        }
        return "/v1/keystores/\(named.keystore)/keys/\(identifier)"
    }

    static func isIdentifier(_ text: String) -> Bool {
        (1...128).contains(text.utf8.count) && text != "." && text != ".."
            && text.utf8.allSatisfy { ReferencePath.isWord($0) || $0 == UInt8(ascii: ".") }
    }

    private static let unusable = CommandFailure(
        .usage, code: "usage", "expected a key's id with --keystore, or the URL that `key create` printed")
}

/// What an id, or a URL of the API, names.
struct ReferencePath {
    /// The id itself, if it is no URL.
    let keystore: String
    let key: String?

    /// - Returns: Nil for a URL of another form.
    init?(_ text: String) {
        let marker = "/v1/keystores/"
        guard let place = text.range(of: marker) else {
            keystore = text
            key = nil
            return
        }
        let parts = text[place.upperBound...].splitExactly(at: "/").map(String.init)
        switch parts.count {
        case 1: (keystore, key) = (parts[0], nil)
        case 3 where parts[1] == "keys": (keystore, key) = (parts[0], parts[2])
        default: return nil
        }
    }

    static func isWord(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "_"), UInt8(ascii: "-"): true
        default: false
        }
    }
}
