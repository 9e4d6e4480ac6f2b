import Encodings
import SecretMemory

@testable import Capabilities
@testable import OutboundHTTP

extension FuzzTarget {
    /// Spellings of bytes, numbers and addresses.
    static let encodings = [
        FuzzTarget("base64", longest: 512) { bytes throws(FuzzFinding) in
            for form in [Base64.Form.standard, .url, .urlPadded] {
                guard let decoded = Base64.decode(bytes, form) else { continue }
                try claim(same(Base64.encode(decoded, form), text(bytes)), "base64 has a second spelling")
                let secret = parsed { try bytes.withUnsafeBytes { try Base64.decodeSecret($0, form) } } ?? nil
                try claim(
                    secret?.withUnsafeBytes { $0.elementsEqual(decoded) } == true,
                    "the two decoders differ, or the secret one refuses")
            }
            if let value = Hexadecimal.decode(text(bytes)) {
                try claim(same(Hexadecimal.encode(value), text(bytes)), "hexadecimal has a second spelling")
            }
        },
        FuzzTarget("base58", longest: 300) { bytes throws(FuzzFinding) in
            if let decoded = Base58.decode(text(bytes)) {
                try claim(same(Base58.encode(decoded), text(bytes)), "base58 has a second spelling")
            }
            let encoded = Base58.encode(Array(bytes.prefix(180)))
            try claim(Base58.decode(encoded) == Array(bytes.prefix(180)), "base58 does not come back")
        },
        FuzzTarget("gzip", longest: 4096) { bytes throws(FuzzFinding) in
            if let expanded = parsed({ try Gzip.expand(bytes, limit: 4096) }) {
                try claim(expanded.count <= 4096, "gzip expands beyond its limit")
            }
            let packed = try accepted("packing") { try Gzip.compress(bytes) }
            let again = try accepted("expanding") { try Gzip.expand(packed, limit: 4096) }
            try claim(again == bytes, "gzip does not come back")
        },
        FuzzTarget("outbound-url", longest: 512) { bytes throws(FuzzFinding) in
            if let url = parsed({ try OutboundURL(text(bytes)) }) {
                let again = try accepted("an accepted URL") { try OutboundURL(url.text) }
                try claim(
                    again.host == url.host && again.port == url.port && again.isSecure == url.isSecure,
                    "the spelling that is called names another server")
                try claim(same(again.text, url.text), "a URL's spelling is not stable")
            }
            if let range = NetworkRange(text(bytes)) {
                try claim(range.contains(range.prefix), "a range does not hold its own prefix")
            }
            if let address = NetworkAddress(text(bytes)) {
                try claim(NetworkAddress(address.description) == address, "an address does not come back")
            }
        },
    ]
}
