import ArgumentParser
import Decryption
import DecryptionAPI
import DevChain
import Encodings
import Foundation
import KMSDaemon
import OutboundHTTP

/// Where the switches of a trial chain are.
struct TrialChainOptions: ParsableArguments {
    @Option(help: "The trial chain's first node. [KMS_DECRYPTION_RPC]") var chain: String?

    /// Turns a switch, and gives a member of the result.
    func turn(_ switchName: String, _ member: String) async throws -> String {
        guard let base = chain ?? RemoteOptions.variable("KMS_DECRYPTION_RPC") else {
            throw CommandFailure.usage(
                "no chain is named; give --chain or KMS_DECRYPTION_RPC, as kmsd dev chain prints it")
        }
        let answer = try await NodeCall.send("POST", base, "/dev/" + switchName, option: "--chain")
        let read = try? JSONNode(reading: answer.body)
        guard answer.status == 200, let value = read?["result"]?[member]?.text else {
            let words = read?["error"]?["message"]?.text ?? "it is no chain of kmsd dev chain"
            throw CommandFailure(.failed, code: "refused", "--chain \(base): \(TerminalEscaping.of(words))")
        }
        return value
    }

    func show(_ name: String, _ value: String, _ text: String, _ output: OutputFormat) throws {
        switch output {
        case .json: try Terminal.print(json: [name: value])
        case .text: Terminal.print(text)
        }
    }
}

/// Which ciphertext, and for whom.
struct MarkOptions: ParsableArguments {
    @Option(help: "The ciphertext's handle instead of its file: 32 bytes in hexadecimal.") var handle: String?
    @Option(help: "For this account only (re-encryption), 20 bytes in hexadecimal; for everybody without it.")
    var account: String?
    @Option(help: "For the account of this permit.") var permit: String?
    @Argument(help: "The ciphertext's file.") var ciphertext: String?

    func query() throws -> String {
        let bytes: [UInt8] =
            switch (handle, ciphertext) {
            case (let handle?, nil): try HexArgument.bytes(handle, 32, "--handle")
            case (nil, let file?):
                Handles.handle(of: try InputFile.read(file, upTo: DecryptionChannel.longestMessage))
            default: throw CommandFailure.usage("name the ciphertext's file, or its --handle")
            }
        let whose: [UInt8]? =
            switch (account, permit) {
            case (let account?, nil): try HexArgument.bytes(account, 20, "--account")
            case (nil, let permit?): try PermitFile.read(permit).account
            case (nil, nil): nil
            default: throw CommandFailure.usage("--account or --permit, one of them")
            }
        return "?handle=" + Hexadecimal.encode(bytes) + (whose.map { "&account=" + Hexadecimal.encode($0) } ?? "")
    }
}

extension DevCommand.Chain {
    /// `kmsd dev chain allow`.
    struct Allow: ClientVerb {
        static let configuration = CommandConfiguration(
            commandName: "allow",
            abstract: "Play the contract: mark a ciphertext.",
            discussion: """
                Makes two blocks, so that the latest header proves it at once.

                  kmsd dev chain allow ciphertext.bin
                  kmsd dev chain allow --permit permit.json ciphertext.bin
                """)

        @OptionGroup var chain: TrialChainOptions
        @OptionGroup var mark: MarkOptions
        @Option(help: "text or json.") var output: OutputFormat = .text

        func work() async throws -> ExitStatus {
            let height = try await chain.turn("allow" + mark.query(), "height")
            _ = try await chain.turn("make?blocks=2", "height")
            try chain.show("height", height, "marked; headers from \(height) on prove it", output)
            return .ok
        }
    }

    /// `kmsd dev chain revoke`.
    struct Revoke: ClientVerb {
        static let configuration = CommandConfiguration(
            commandName: "revoke",
            abstract: "Play the contract: take a mark back.",
            discussion: """
                Older headers still prove it, for as long as the daemon's decryption-max-proof-age says.

                  kmsd dev chain revoke ciphertext.bin
                """)

        @OptionGroup var chain: TrialChainOptions
        @OptionGroup var mark: MarkOptions
        @Option(help: "text or json.") var output: OutputFormat = .text

        func work() async throws -> ExitStatus {
            let height = try await chain.turn("revoke" + mark.query(), "height")
            _ = try await chain.turn("make?blocks=2", "height")
            try chain.show("height", height, "not marked any more from header \(height) on", output)
            return .ok
        }
    }

    /// `kmsd dev chain make`.
    struct Make: ClientVerb {
        static let configuration = CommandConfiguration(
            commandName: "make",
            abstract: "Make blocks.",
            discussion: """
                A millisecond apart, if the clock is not ahead.

                  kmsd dev chain make --blocks 200
                """)

        @OptionGroup var chain: TrialChainOptions
        @Option(help: "How many, 1 to 1000.") var blocks: Int = 1
        @Option(help: "text or json.") var output: OutputFormat = .text

        func work() async throws -> ExitStatus {
            guard 1...1_000 ~= blocks else { throw CommandFailure.usage("--blocks: expected 1 to 1000") }
            let height = try await chain.turn("make?blocks=\(blocks)", "height")
            try chain.show("height", height, "height \(height)", output)
            return .ok
        }
    }

    /// `kmsd dev chain behave`.
    struct Behave: ClientVerb {
        static let configuration = CommandConfiguration(
            commandName: "behave",
            abstract: "Tell a node to lie, to stall or to be honest again.",
            discussion: """
                fork: another header at each height, signed by the same validators; forged: headers changed after they were \
                signed; strangers: headers of validators without power; other-chain, past, future: another chain's id, times \
                that go back or are a day ahead; wrong-proof: proofs of another key; garbage, huge, error: answers that are \
                none; stall: no answer for half a minute.

                  kmsd dev chain behave fork --node witness
                """)

        @OptionGroup var chain: TrialChainOptions
        @Option(help: "node or witness.") var node: String = "node"
        @Option(help: "text or json.") var output: OutputFormat = .text
        @Argument(
            help:
                "honest, fork, forged, strangers, other-chain, past, future, wrong-proof, garbage, huge, stall or error."
        )
        var behaviour: String

        func work() async throws -> ExitStatus {
            guard let behaviour = Behaviour(rawValue: behaviour) else {
                throw CommandFailure.usage(
                    "expected one of \(Behaviour.allCases.map(\.rawValue).joined(separator: ", "))")
            }
            guard let index = ["node", "witness"].firstIndex(where: { $0.isExactly(node) }) else {
                throw CommandFailure.usage("--node: expected node or witness")
            }
            let told = try await chain.turn("behave?as=\(behaviour.rawValue)&node=\(index)", "as")
            try chain.show("as", told, "the \(node) is now \(told)", output)
            return .ok
        }
    }
}
