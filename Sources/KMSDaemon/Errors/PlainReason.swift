import Encodings
import Foundation
import Glibc
import KMSConfiguration

/// Why something failed, in words for people. Foundation's own hold types, domains and numbers, and some libraries' the
/// place in their source.
package enum PlainReason {
    package static func of(_ error: any Error) -> String {
        switch error {
        case let error as DecodingError: decoding(error)
        case is EncodingError: "it cannot be written as JSON"
        case let error as CocoaError: cocoa(error)
        case let error as POSIXError: String(cString: strerror(error.code.rawValue))
        case let error as CommandFailure: error.description
        case let error as ConfigurationError: error.message
        default: foreign(error)
        }
    }

    private static func decoding(_ error: DecodingError) -> String {
        switch error {
        case .keyNotFound(let key, _): "it lacks the member '\(key.stringValue)'"
        case .typeMismatch(_, let context), .valueNotFound(_, let context):
            "the member '\(context.codingPath.map(\.stringValue).joined(separator: "."))' has another form than expected"
        case .dataCorrupted(let context) where !context.codingPath.isEmpty:
            "the member '\(context.codingPath.map(\.stringValue).joined(separator: "."))' cannot be read"
        default: "it is not whole JSON"
        }
    }

    private static func cocoa(_ error: CocoaError) -> String {
        if let error = error.userInfo[NSUnderlyingErrorKey] as? any Error { return of(error) }
        switch error.code {
        case .fileNoSuchFile, .fileReadNoSuchFile: return "there is no such file"
        case .fileReadNoPermission, .fileWriteNoPermission: return "this user may not"
        case .fileWriteOutOfSpace: return "no space is left"
        case .fileReadTooLarge: return "it is too large"
        case .fileReadCorruptFile, .propertyListReadCorrupt: return "its content is damaged"
        default: return "the system refuses it"
        }
    }

    private static func foreign(_ error: any Error) -> String {
        let bridged = error as NSError
        if bridged.domain == NSPOSIXErrorDomain { return String(cString: strerror(Int32(bridged.code))) }
        if bridged.domain == NSCocoaErrorDomain { return cocoa(CocoaError(CocoaError.Code(rawValue: bridged.code))) }
        // Of the error itself: bridged, a text of ours would be gone.
        let text = "\(error)"
        // A text of ours has no path of anybody's source and no dump of an object in it.
        // exact: libraries' own words, looked for to leave them out.
        let isPlain = !text.contains("/Sources/") && !text.contains("Error Domain=") && !text.containsExactly("\n")
        return isPlain ? text : "an error that was not expected (\(type(of: error)))"
    }
}
