public import ArgumentParser
public import WalletClient

extension WalletSuite: ExpressibleByArgument {}
extension WalletSuite.Purpose: ExpressibleByArgument {}

/// Of which kind a wallet's key is.
struct WalletSuiteOptions: ParsableArguments {
    @Option(help: "The wallet's suite: bls0chain or bls-tpm-bn256.") var suite: WalletSuite = .zeroChain
}

/// What a signature is for, in suites that distinguish purposes.
struct WalletPurposeOptions: ParsableArguments {
    @Option(help: "What the signature is for: msg or txn; without effect on 0Chain's wallets.")
    var purpose: WalletSuite.Purpose = .message
}
