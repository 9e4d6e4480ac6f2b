/// Why a request body is not the JSON object it should be. The text is for the caller and repeats none of the body.
struct JSONError: Error, Equatable {
    var message: String

    init(_ message: String) { self.message = message }

    static func malformed(at position: Int) -> JSONError { JSONError("the body is not valid JSON at byte \(position)") }
    static let notAnObject = JSONError("the body is not a JSON object")
    static let tooDeep = JSONError("the body is nested deeper than \(JSONScanner.maximumDepth) levels")
}
