import Encodings

/// Why a request body is not the JSON object it should be. The text is for the caller and repeats none of the body.
struct JSONError: Error, Equatable {
    var message: String
    /// Whether TrustBloc's server refuses it with 400, too.
    var isUpstreamRefusal = false

    init(_ message: String) { self.message = message }

    init(_ error: StrictJSONError) { self.init(error.message(about: "the body")) }

    /// What TrustBloc's server refuses by its own check of a member; the words in front are that server's.
    static func invalid(_ message: String) -> JSONError {
        var error = JSONError("validation failed: " + message)
        error.isUpstreamRefusal = true
        return error
    }
}
