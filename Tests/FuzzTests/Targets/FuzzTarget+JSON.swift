import Encodings
import SecretMemory

@testable import HTTPAPI

extension FuzzTarget {
    static let json = [
        FuzzTarget("strict-json") { bytes throws(FuzzFinding) in
            guard let node = parsed({ try JSONNode(reading: bytes) }) else { return }
            let again = try accepted("a printed document") { try JSONNode(reading: Array(print(node).utf8)) }
            try claim(same(print(again), print(node)), "a document does not survive printing")
        },
        // The two readers of JSON must agree what is JSON.
        FuzzTarget("json-scanner") { bytes throws(FuzzFinding) in
            let names: [StaticString] = ["a", "b", "message", "key", "name"]
            let scanned = bytes.withUnsafeBytes { bytes in parsed { try JSONMembers(bytes, names) } != nil }
            do {
                let node = try JSONNode(reading: bytes)
                guard case .object(let members) = node else { return }
                let plain = Set(members.keys.map { $0.text.lowercased() })
                try claim(scanned || plain.count < members.count, "the scanner refuses what the reader takes")
                if scanned { try bytes.withUnsafeBytes { try compare($0, names, members) } }
            } catch let finding as FuzzFinding {
                throw finding
            } catch let error as StrictJSONError {
                if case .malformed = error { try claim(!scanned, "the scanner takes what is no JSON") }
            } catch {
                throw FuzzFinding("an error of another kind: \(error)")
            }
        },
    ]

    /// What the scanner gives out is what the reader reads.
    private static func compare(
        _ bytes: UnsafeRawBufferPointer, _ names: [StaticString], _ nodes: [ExactText: JSONNode]
    ) throws {
        let members = try JSONMembers(bytes, names)
        for (index, name) in names.enumerated() {
            let node = nodes.first { $0.key.text.lowercased() == "\(name)" }?.value
            switch node {
            case .string(let value):
                try claim(same(try members.text(index), value), "a text is read in two ways")
                try compareBytes(members, index, Array(bytes))
            case .number(let digits):
                let number = parsed { try members.optionalInteger(index, as: Int64.self) } ?? nil
                try claim(number == Int64(digits), "a number is read in two ways")
            case .bool(let flag): try claim(try members.flag(index) == flag, "a truth value is read in two ways")
            case .array(let elements): try compareElements(members, index, elements)
            case .object:
                let inner = parsed { try members.optionalObject(index, names) }
                try claim(
                    inner == nil || inner! != nil, "an object inside is absent")
            case .null, nil: try claim(!members.isPresent(index), "an absent member is present")
            }
        }
    }

    private static func compareBytes(_ members: JSONMembers, _ index: Int, _ text: [UInt8]) throws {
        guard let value = parsed({ try members.bytes(index) }) else { return }
        // Secrets are unescaped where they stand.
        var copy = text
        let secret = try copy.withUnsafeMutableBytes { memory in
            let again = try JSONMembers(UnsafeRawBufferPointer(memory), ["a", "b", "message", "key", "name"])
            return try again.secret(index, unescapingIn: memory)
        }
        try claim(secret.withUnsafeBytes { $0.elementsEqual(value) }, "a secret is decoded in another way")
    }

    private static func compareElements(_ members: JSONMembers, _ index: Int, _ elements: [JSONNode]) throws {
        let texts = elements.compactMap(\.text)
        if texts.count == elements.count, texts.count <= 1000 {
            let read = try members.optionalTexts(index) ?? []
            try claim(read.elementsEqual(texts, by: same), "a list of texts is read in two ways")
        } else {
            try claim(parsed { try members.optionalTexts(index) } == nil, "a list of other things is read as texts")
        }
        _ = parsed { try members.integers(index, limit: 16) }
        _ = parsed { try members.byteStrings(index, limit: 16) }
    }

    private static func print(_ node: JSONNode) -> String {
        switch node {
        case .null: "null"
        case .bool(let flag): "\(flag)"
        case .number(let digits): digits
        case .string(let text): quote(text)
        case .array(let elements): "[" + elements.map(print).joined(separator: ",") + "]"
        case .object(let members):
            "{"
                + members.sorted { $0.key < $1.key }.map { quote($0.key.text) + ":" + print($0.value) }
                .joined(separator: ",") + "}"
        }
    }

    private static func quote(_ text: String) -> String {
        var quoted = "\""
        for unit in text.utf16 { quoted += "\\u" + String(0x10000 + Int(unit), radix: 16).dropFirst() }
        return quoted + "\""
    }
}
