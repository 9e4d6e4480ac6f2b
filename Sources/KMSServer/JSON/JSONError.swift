import StrictJSON

/// Why a request body is not the JSON object it should be. The text is for the caller and repeats none of the body.
struct JSONError: Error, Equatable {
    var message: String

    init(_ message: String) { self.message = message }

    init(_ error: StrictJSONError) { self.init(error.message(about: "the body")) }
}
