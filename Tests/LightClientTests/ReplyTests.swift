import Foundation
import Testing

@testable import LightClient

@Suite(.timeLimit(.minutes(10))) struct ReplyTests {
    @Test func repliesOfRealNodesAreReadAndHaveTheirHashes() throws {
        var count = 0
        for file in try VectorFile.read("index.json").objects("files") where file["header_hash"] != nil {
            let block = try NodeReply.commit(VectorFile.bytes(file.text("file")))
            #expect(try block.header.hash() == file.hex("header_hash"))
            #expect(try block.header.appHash == file.hex("app_hash"))
            #expect(try block.commit.blockID.hash == file.hex("header_hash"))
            try block.header.check()
            count += 1
        }
        #expect(count == 2)
        let status = try NodeReply.status(VectorFile.bytes("rpc-v0_34-status.json"))
        #expect(status.network == "dockerchain" && status.latestHeight == 67 && !status.isCatchingUp)
        #expect(status.latestHash.first == 0x03 && status.latestTime.nanoseconds == 686_014_484)
        #expect(code { _ = try NodeReply.commit(reply("rpc-v0_34-abci_query_with_existing_key.json")) } == .malformed)
        #expect(code { _ = try NodeReply.status(reply("rpc-v0_34-commit_at_height_10.json")) } == .malformed)
    }

    /// A changed byte either breaks the reply, or is in a part that the header's hash does not cover.
    @Test func noByteOfAReplyMakesAnotherHeaderPass() throws {
        let chain = try VectorFile.read("chain.json")
        let bytes = try VectorFile.text(chain.object("commit").object("4"))
        let set = try chain.object("validators").object("4").object("result").validatorSet()
        let rules = HeaderRules(try TrustRules(chainID: "kmsd-alpha-1"))
        let header = try NodeReply.commit(bytes).header
        var passed = 0
        for position in bytes.indices {
            for change: UInt8 in [0x01, 0x02, 0x10, 0x20, 0x80] {
                var changed = bytes
                changed[position] ^= change
                guard let block = try? NodeReply.commit(changed), (try? rules.checkAlone(block, validators: set)) != nil
                else { continue }
                #expect(block.header == header, "byte \(position)")
                passed += 1
            }
            #expect(throws: LightClientError.self, "cut at \(position)") {
                try NodeReply.commit(Array(bytes[..<position]))
            }
        }
        // Upper and lower case of hexadecimal, `id`, and the last signature, which nobody needs.
        #expect(passed > 0)
        #expect(throws: LightClientError.self) { try NodeReply.commit(bytes + bytes) }
    }

    @Test func noByteOfAPageMakesAnotherSetPassForTheHeaders() throws {
        let file = try VectorFile.read("chain.json")
        let header = try NodeReply.commit(VectorFile.text(file.object("commit").object("5"))).header
        let bytes = try VectorFile.text(file.object("validators").object("5"))
        let page = try NodeReply.validators(bytes)
        #expect(try ValidatorSet(page.validators).hash == header.validatorsHash)
        for position in bytes.indices {
            for change: UInt8 in [0x01, 0x02, 0x10, 0x20, 0x80] {
                var changed = bytes
                changed[position] ^= change
                guard let read = try? NodeReply.validators(changed), let set = try? ValidatorSet(read.validators),
                    set.hash == header.validatorsHash
                else { continue }
                #expect(read.validators == page.validators)
            }
            #expect(throws: LightClientError.self) { try NodeReply.validators(Array(bytes[..<position])) }
        }
    }

    @Test func noByteOfAStatusBreaksTheReader() throws {
        let bytes = try VectorFile.bytes("rpc-v0_34-status.json")
        let status = try NodeReply.status(bytes)
        var refused = 0
        for position in bytes.indices {
            for change: UInt8 in [0x01, 0x10, 0x80] {
                var changed = bytes
                changed[position] ^= change
                if (try? NodeReply.status(changed)) == nil { refused += 1 }
            }
        }
        #expect(refused > bytes.count)
        let end = try #require(bytes.lastIndex(of: UInt8(ascii: "}")))
        for cut in 0..<end {
            #expect(throws: LightClientError.self) { try NodeReply.status(Array(bytes[..<cut])) }
        }
        #expect(try NodeReply.status(Array(bytes[...end])) == status)
    }

    @Test func aCommitOfTheLargestSetIsReadAndOfALargerOneNot() throws {
        let text = try fixture()
        let start = try #require(text.range(of: #""signatures":["#)).upperBound
        let end = try #require(text.range(of: "]", range: start..<text.endIndex)).lowerBound
        func reply(_ count: Int) -> [UInt8] {
            let places = [String](repeating: String(text[start..<end]), count: count).joined(separator: ",")
            return Array((text[..<start] + places + text[end...]).utf8)
        }
        #expect(try NodeReply.commit(reply(ChainLimits.validators)).commit.signatures.count == ChainLimits.validators)
        #expect(code { _ = try NodeReply.commit(reply(ChainLimits.validators + 1)) } == .malformed)
        #expect(code { _ = try NodeReply.commit(reply(0)) } == .malformed)
    }

    @Test(arguments: [
        (#""height":"10""#, #""height":10"#), (#""height":"10""#, #""height":"+10""#),
        (#""height":"10""#, #""height":"010""#), (#""height":"10""#, #""height":" 10""#),
        (#""height":"10""#, #""height":"-0""#), (#""height":"10""#, #""height":"1e1""#),
        (#""height":"10""#, #""height":"9223372036854775808""#), (#""height":"10""#, #""height":null"#),
        (#""height":"10""#, #""height":"\u0031""#), (#""round":0"#, #""round":"0""#), (#""round":0"#, #""round":0.0"#),
        (#""round":0"#, #""round":2147483648"#), (#""round":0"#, #""round":-1"#), (#""round":0"#, #""round":-0"#),
        (#""total":1"#, #""total":4294967296"#), (#""total":1"#, #""total":"1""#),
        (#""block_id_flag":2"#, #""block_id_flag":4"#), (#""block_id_flag":2"#, #""block_id_flag":0"#),
        (#""block_id_flag":2"#, #""block_id_flag":1"#), (#""block_id_flag":2"#, #""block_id_flag":"2""#),
        (#""block":"11""#, #""block":"-11""#), (#""block":"11""#, #""Block":"11""#),
        (#""app_hash":"0"#, #""app_hash":"x"#), (#""app_hash":"0"#, #""app_hash":"0x0"#),
        (#""app_hash":"0"#, #""app_hash":""#), (#""data_hash":"E3"#, #""data_hash":"E3E3"#),
        (#""time":"2022"#, #""time":"22"#), (#""chain_id":"dockerchain""#, #""chain_id":7"#),
        (#""signature":"tc1k"#, #""signature":"tc1k===="#), (#""signature":"tc1k"#, #""signature":"-c1k"#),
        (#""signature":"tc1k"#, #""signature":"tc1ktc1k"#), (#""signature":"tc1k"#, #""signature":""#),
        (#""parts":{"#, #""part_set_header":{"total":1,"hash":""},"parts":{"#), (#""parts":{"#, #""parties":{"#),
        (#""jsonrpc":"2.0""#, #""jsonrpc":"1.0""#), (#""jsonrpc":"2.0""#, #""jsonrpc":2.0"#),
        (#""jsonrpc":"2.0""#, #""jsonrpc":"2.0","jsonrpc":"2.0""#),
        (#""canonical":true"#, #""canonical":true,"signed_header":{}"#), (#""signatures":["#, #""signatures":[7,"#),
        (#""signatures":["#, #""signatures":{"a":["#),
        (#""jsonrpc":"2.0""#, #""error":{"code":1},"jsonrpc":"2.0""#),
    ])
    func aReplyOfAnotherFormIsRefused(_ found: String, _ instead: String) throws {
        let text = try fixture()
        let changed = text.replacingOccurrences(of: found, with: instead)
        #expect(changed != text)
        #expect(code { _ = try NodeReply.commit(Array(changed.utf8)) } == .malformed)
    }

    @Test func lowerCaseHashesAndUnknownMembersAreRead() throws {
        let text = try fixture()
        let original = try NodeReply.commit(Array(text.utf8))
        let lower = text.replacingOccurrences(of: "6AA59493037B", with: "6aa59493037b")
        #expect(try NodeReply.commit(Array(lower.utf8)) == original)
        let more = text.replacingOccurrences(of: #""round":0"#, with: #""round":0,"bit_array":null,"hash":[]"#)
        #expect(try NodeReply.commit(Array(more.utf8)) == original)
        let renamed = text.replacingOccurrences(of: #""parts":"#, with: #""part_set_header":"#)
        #expect(try NodeReply.commit(Array(renamed.utf8)) == original)
    }

    @Test func aNodesErrorIsToldByItsNumberOnly() throws {
        let reply = #"{"jsonrpc":"2.0","id":-1,"error":{"code":-32603,"message":"secret","data":"height 7 < 9"}}"#
        do {
            _ = try NodeReply.commit(Array(reply.utf8))
            Issue.record("an error was read as a commit")
        } catch {
            #expect(error.code == .refused && error.message.contains("-32603") && !error.message.contains("secret"))
        }
        #expect(code { _ = try NodeReply.commit([]) } == .malformed)
        #expect(code { _ = try NodeReply.commit(Array("[]".utf8)) } == .malformed)
        #expect(code { _ = try NodeReply.commit(Array(#"{"jsonrpc":"2.0"}"#.utf8)) } == .malformed)
        let nested = String(repeating: "[", count: 100_000)
        #expect(code { _ = try NodeReply.commit(Array((#"{"id":"# + nested).utf8)) } == .malformed)
        #expect(
            code { _ = try NodeReply.commit([UInt8](repeating: 0x20, count: ChainLimits.replyLength + 1)) }
                == .malformed)
    }

    @Test func anAbsentVoteHasNothingInIt() throws {
        let absent = #""block_id_flag":1,"validator_address":"","timestamp":"0001-01-01T00:00:00Z","signature":"#
        func reply(_ place: String) throws -> [UInt8] {
            let text = try fixture()
            return Array(
                text.replacingOccurrences(of: #""signatures":["#, with: #""signatures":[{"# + place + "},").utf8)
        }
        #expect(try NodeReply.commit(reply(absent + "null")).commit.signatures[0].vote == .absent)
        #expect(try NodeReply.commit(reply(absent + #""""#)).commit.signatures[0].signature.isEmpty)
        #expect(code { _ = try NodeReply.commit(reply(absent + #""AAAA""#)) } == .malformed)
        for (found, instead) in [("0001", "0002"), (#""""#, #""00""#), (":1,", ":3,"), (":1,", ":2,")] {
            let changed = absent.replacingOccurrences(of: found, with: instead) + "null"
            #expect(code { _ = try NodeReply.commit(reply(changed)) } == .malformed, "\(instead)")
        }
    }

    func reply(_ name: String) throws -> [UInt8] { try VectorFile.bytes(name) }

    /// A node's commit without white space, members in order.
    func fixture() throws -> String {
        let object = try VectorFile.read("rpc-v0_34-commit_at_height_10.json")
        let data = try JSONSerialization.data(withJSONObject: object, options: [.sortedKeys, .withoutEscapingSlashes])
        return String(decoding: data, as: UTF8.self)
    }
}
