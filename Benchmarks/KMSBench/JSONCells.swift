import Foundation

/// What JSON costs for bodies of a sign request's size, with the framework's own coders.
enum JSONCells {
    private struct SignRequest: Codable { let message: Data }
    private struct TextRequest: Codable { let message: String }
    private struct SignAnswer: Codable { let signature: Data }

    static func measure() throws {
        let body = try JSONEncoder().encode(SignRequest(message: Data(repeating: 0xa5, count: 256)))
        let answer = SignAnswer(signature: Data(repeating: 0xa5, count: 64))
        let decoder = JSONDecoder()
        let encoder = JSONEncoder()
        try BatchTimer.measure("JSON decode of a sign request, message as text") {
            _ = try decoder.decode(TextRequest.self, from: body)
        }
        try BatchTimer.measure("JSON decode of a sign request, message as bytes") {
            _ = try decoder.decode(SignRequest.self, from: body)
        }
        try BatchTimer.measure("JSON encode of a sign answer") { _ = try encoder.encode(answer) }
    }
}
