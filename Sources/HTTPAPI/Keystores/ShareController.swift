import Encodings
import Hummingbird
import Keystores

/// The route that forgets what is remembered of one user's share: `DELETE /v1/shares/{user}`.
///
/// After a user's shares were split again, the old one opens keystores from memory until somebody presents the new one,
/// or until its time is over; who has lost a share need not wait for either.
struct ShareController: Sendable {
    /// Longest user name in bytes.
    private static let longestUser = 1024

    let service: any KeystoreManaging

    /// The user is percent-encoded in the path; one spelling is enough, since it is only compared after decoding.
    func forget(_ call: RouteCall) async throws -> Response {
        guard let user = Self.decoded(call.parameters.first), (1...Self.longestUser).contains(user.utf8.count) else {
            throw RequestError.badRequest(
                "the path ends with no percent-encoded user name of 1 to \(Self.longestUser) bytes")
        }
        let count = await service.forgetShares(of: user)
        return Responses.object { $0.member("keystores", count) }
    }

    private static func decoded(_ text: String) -> String? {
        var bytes: [UInt8] = []
        var rest = Substring(text).utf8
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard let high = rest.popFirst(), let low = rest.popFirst(),
                let value = Hexadecimal.decode(String(decoding: [high, low], as: UTF8.self), .either)?.first
            else { return nil }
            bytes.append(value)
        }
        return String(validating: bytes, as: UTF8.self)
    }
}
