// swift-tools-version: 6.2
import PackageDescription

/// `scripts/fuzz` sets this: counters for coverage go into every target of ours, and `kmsd-fuzz` is built.
let fuzzing = Context.environment["KMSD_FUZZ"] == "1"

/// Every target of ours: Swift 6 mode, no warning survives.
let settings: [SwiftSetting] =
    [
        .swiftLanguageMode(.v6),
        .treatAllWarnings(as: .error),
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("InternalImportsByDefault"),
        .enableUpcomingFeature("MemberImportVisibility"),
    ] + (fuzzing ? [.unsafeFlags(["-sanitize=fuzzer", "-O"])] : [])

/// Field arithmetic, and loops over the bytes of half a megabyte, are unusable unoptimised, so these targets are optimised in
/// debug builds too, and as whole modules: the generic towers must be specialised across files.
let optimised: [SwiftSetting] =
    settings + [.unsafeFlags(["-O", "-wmo", "-num-threads", "1", "-disable-batch-mode"])]

// What is not ours, exactly one version each; docs/dependencies.md says what for and how to take another one.
let packages: [Package.Dependency] = [
    .package(url: "https://github.com/hummingbird-project/hummingbird", exact: "2.28.1", traits: []),
    .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
    .package(url: "https://github.com/groue/GRDB.swift", exact: "7.10.0"),
    .package(url: "https://github.com/swift-server/swift-service-lifecycle", exact: "2.13.0"),
    .package(url: "https://github.com/apple/swift-log", exact: "1.16.2"),
    .package(url: "https://github.com/apple/swift-http-types.git", exact: "1.8.0", traits: []),
    .package(url: "https://github.com/apple/swift-nio", exact: "2.101.2"),
    .package(url: "https://github.com/apple/swift-nio-extras.git", exact: "1.35.2"),
    .package(url: "https://github.com/apple/swift-nio-ssl", exact: "2.37.6"),
    .package(url: "https://github.com/apple/swift-nio-http2.git", exact: "1.46.0"),
    .package(url: "https://github.com/swift-server/async-http-client", exact: "1.37.0", traits: []),
    .package(url: "https://github.com/jpsim/Yams", exact: "6.2.2"),
    .package(url: "https://github.com/grpc/grpc-swift-2", exact: "2.4.3"),
    .package(url: "https://github.com/grpc/grpc-swift-nio-transport", exact: "2.9.2"),
    .package(url: "https://github.com/grpc/grpc-swift-protobuf", exact: "2.4.1"),
    .package(url: "https://github.com/apple/swift-protobuf", exact: "1.39.0"),
    .package(url: "https://github.com/apple/swift-certificates.git", exact: "1.21.1"),
    .package(url: "https://github.com/apple/swift-asn1.git", exact: "1.7.4"),
    .package(url: "https://github.com/apple/swift-crypto.git", exact: "4.5.2"),
]

/// The package of each product that a target may name.
let packageOfProduct = [
    "Hummingbird": "hummingbird", "HummingbirdCore": "hummingbird", "HummingbirdTLS": "hummingbird",
    "HummingbirdTesting": "hummingbird", "ArgumentParser": "swift-argument-parser", "GRDB": "GRDB.swift",
    "ServiceLifecycle": "swift-service-lifecycle", "UnixSignals": "swift-service-lifecycle", "Logging": "swift-log",
    "HTTPTypes": "swift-http-types", "NIOCore": "swift-nio", "NIOPosix": "swift-nio", "NIOHTTP1": "swift-nio",
    "NIOHTTPTypes": "swift-nio-extras", "NIOHTTPTypesHTTP1": "swift-nio-extras", "NIOSSL": "swift-nio-ssl",
    "NIOTLS": "swift-nio", "NIOHTTP2": "swift-nio-http2", "NIOHPACK": "swift-nio-http2",
    "AsyncHTTPClient": "async-http-client", "Yams": "Yams", "GRPCCore": "grpc-swift-2",
    "GRPCNIOTransportHTTP2Posix": "grpc-swift-nio-transport", "GRPCProtobuf": "grpc-swift-protobuf",
    "SwiftASN1": "swift-asn1", "SwiftProtobuf": "swift-protobuf", "X509": "swift-certificates",
    "Crypto": "swift-crypto",
]

func dependencies(_ names: [String]) -> [Target.Dependency] {
    names.map { name in packageOfProduct[name].map { .product(name: name, package: $0) } ?? .byName(name: name) }
}

/// A library of ours in `Sources`; `uses` is exactly what its files import, which `scripts/test layout` checks.
func library(
    _ name: String, uses: [String] = [], exclude: [String] = [], resources: [Resource] = [],
    settings: [SwiftSetting] = settings
) -> Target {
    .target(
        name: name, dependencies: dependencies(uses), exclude: exclude, resources: resources, swiftSettings: settings)
}

/// The tests of the library `name`, which they use, and with it what is named here.
func tests(
    _ name: String, uses: [String] = [], exclude: [String] = [], settings: [SwiftSetting] = settings
) -> Target {
    .testTarget(
        name: name + "Tests", dependencies: dependencies([name] + uses), exclude: exclude, swiftSettings: settings)
}

/// A C library of the system: its module map is all that is ours.
func system(_ name: String, _ pkgConfig: String? = nil, _ package: String? = nil) -> Target {
    .systemLibrary(
        name: name, path: "Sources/System/" + name, pkgConfig: pkgConfig, providers: package.map { [.apt([$0])] })
}

/// What the daemon is measured with; see scripts/bench and scripts/constant-time.
func benchmark(_ name: String, uses: [String]) -> Target {
    .executableTarget(
        name: name, dependencies: dependencies(uses), path: "Benchmarks/" + name, swiftSettings: settings)
}

let targets: [Target] = [
    // C libraries, each imported by one target only (KMSBench measures the bare ones beside it).
    system("CProcess"),
    system("CP11Kit", "p11-kit-1", "libp11-kit-dev"),
    system("CLibCrypto", "libcrypto", "libssl-dev"),
    system("CSecp256k1", "libsecp256k1", "libsecp256k1-dev"),
    system("CSodium", "libsodium", "libsodium-dev"),
    system("CTSS2", "tss2-esys", "libtss2-dev"),
    system("CZlib", "zlib", "zlib1g-dev"),

    // The ground: memory, bytes, threads, mathematics, primitives.
    library("SecretMemory", uses: ["CProcess"]),
    library("Encodings", uses: ["SecretMemory"]),
    library("Workers"),
    library("PrometheusMetrics"),
    library("LibCrypto", uses: ["CLibCrypto", "CSecp256k1", "CSodium", "SecretMemory"]),
    library("Pairing", settings: optimised),
    library("TFHE", uses: ["LibCrypto", "SecretMemory"], settings: optimised),
    library("InclusionProofs", uses: ["LibCrypto"], settings: optimised),
    library("LightClient", uses: ["Encodings", "LibCrypto"]),
    library("HybridSealing", uses: ["Crypto", "LibCrypto", "SecretMemory"]),
    library("WorkingKeys", uses: ["Encodings", "LibCrypto", "Pairing", "SecretMemory"]),
    library("WalletClient", uses: ["Encodings", "LibCrypto", "Pairing", "SecretMemory"]),

    // Devices: the contract, and two that serve it.
    library("Token", uses: ["Encodings", "SecretMemory"]),
    library("HSMBridge", uses: ["CP11Kit", "Encodings", "LibCrypto", "SecretMemory", "Token", "Workers"]),
    library("TPMBridge", uses: ["CTSS2", "Encodings", "LibCrypto", "SecretMemory", "Token", "Workers"]),

    // What stands on a device, whichever it is.
    library("EnclaveLock", uses: ["Encodings", "HybridSealing", "LibCrypto", "SecretMemory", "Token", "Workers"]),
    library("Storage", uses: ["EnclaveLock", "Encodings", "GRDB", "LibCrypto", "SecretMemory"]),
    library(
        "Audit", uses: ["EnclaveLock", "Encodings", "GRDB", "LibCrypto", "SecretMemory", "Storage", "Token", "Workers"]),
    library("Attestation", uses: ["Audit", "Encodings", "LibCrypto", "Token", "WorkingKeys"]),
    library("Anchors", uses: ["Encodings", "LibCrypto", "Pairing", "SecretMemory", "Token"]),

    // Who may ask, and other servers.
    library("Capabilities", uses: ["CZlib", "Encodings", "LibCrypto", "Workers"]),
    library(
        "OutboundHTTP",
        uses: ["AsyncHTTPClient", "Encodings", "NIOCore", "NIOHTTP1", "NIOPosix", "NIOSSL", "SecretMemory", "Workers"]),
    library("BearerTokens", uses: ["Encodings", "LibCrypto", "OutboundHTTP", "SecretMemory"]),
    library("GNAP", uses: ["Capabilities", "Encodings", "LibCrypto", "OutboundHTTP", "SecretMemory"]),
    library(
        "EDV", uses: ["Capabilities", "Encodings", "LibCrypto", "OutboundHTTP", "SecretMemory", "WorkingKeys"]),
    library("RemoteLocks", uses: ["EnclaveLock", "Encodings", "LibCrypto", "OutboundHTTP", "SecretMemory"]),
    library("TrustBlocImport", uses: ["Encodings", "LibCrypto", "SecretMemory", "WorkingKeys"]),

    // The domains.
    library(
        "Keystores",
        uses: [
            "Capabilities", "EnclaveLock", "Encodings", "GRDB", "LibCrypto", "PrometheusMetrics", "SecretMemory",
            "Storage", "Token", "Workers", "WorkingKeys",
        ]),
    library(
        "SplitKeys",
        uses: [
            "Anchors", "Audit", "EnclaveLock", "Encodings", "GRDB", "LibCrypto", "OutboundHTTP", "Pairing",
            "SecretMemory", "Storage", "Token",
        ]),

    library(
        "Decryption",
        uses: [
            "Audit", "EnclaveLock", "Encodings", "InclusionProofs", "LibCrypto", "LightClient", "SecretMemory", "TFHE",
            "Token",
        ], settings: optimised),
    library(
        "Migration",
        uses: ["Audit", "EnclaveLock", "Encodings", "GRDB", "LibCrypto", "SecretMemory", "Storage", "Token"]),
    library("DecryptionStore", uses: ["Decryption", "EnclaveLock", "Encodings", "GRDB", "Storage", "TFHE"]),
    library("ChainNodes", uses: ["Decryption", "LightClient", "OutboundHTTP"]),
    library(
        "DecryptionAPI",
        uses: [
            "Decryption", "Encodings", "GRPCCore", "GRPCNIOTransportHTTP2Posix", "GRPCProtobuf", "LightClient",
            "NIOCore", "NIOHPACK", "NIOHTTP2", "NIOSSL", "NIOTLS", "PrometheusMetrics", "SwiftASN1", "SwiftProtobuf",
            "TFHE", "X509",
        ], exclude: ["Protos"]),

    library(
        "DecryptionClient",
        uses: [
            "Decryption", "DecryptionAPI", "Encodings", "InclusionProofs", "LibCrypto", "LightClient", "SecretMemory",
            "TFHE",
        ]),
    library(
        "DevChain",
        uses: [
            "Encodings", "HTTPTypes", "Hummingbird", "InclusionProofs", "LibCrypto", "LightClient", "Logging",
            "NIOCore",
            "ServiceLifecycle",
        ]),

    // The daemon.
    library(
        "KMSConfiguration",
        uses: [
            "Anchors", "BearerTokens", "Capabilities", "Decryption", "EDV", "EnclaveLock", "Encodings",
            "InclusionProofs", "Keystores", "LightClient", "Logging", "OutboundHTTP", "RemoteLocks", "SecretMemory",
            "SplitKeys", "TFHE", "TPMBridge", "Token", "Yams",
        ]),
    library(
        "HTTPAPI",
        uses: [
            "Attestation", "Audit", "BearerTokens", "Capabilities", "EDV", "EnclaveLock", "Encodings", "GNAP",
            "HTTPTypes", "Hummingbird", "KMSConfiguration", "Keystores", "LibCrypto", "LightClient", "Logging",
            "NIOCore", "NIOSSL", "OutboundHTTP", "PrometheusMetrics", "SecretMemory", "SplitKeys", "Token",
            "WorkingKeys",
        ],
        resources: [.embedInCode("Resources/openapi.yaml")]),
    library(
        "KMSDaemon",
        uses: [
            "Anchors", "Attestation", "Audit", "BearerTokens", "Capabilities", "ChainNodes", "Decryption",
            "DecryptionAPI", "DecryptionStore", "EDV", "EnclaveLock", "Encodings", "GNAP", "HSMBridge", "HTTPAPI",
            "HTTPTypes", "Hummingbird", "HummingbirdCore", "HybridSealing", "KMSConfiguration", "Keystores",
            "LibCrypto",
            "LightClient", "Logging", "Migration", "NIOCore", "NIOHTTP1", "NIOHTTPTypes", "NIOHTTPTypesHTTP1",
            "NIOPosix",
            "NIOSSL", "OutboundHTTP",
            "PrometheusMetrics", "RemoteLocks", "SecretMemory", "ServiceLifecycle", "SplitKeys", "Storage", "TPMBridge",
            "Token", "Workers", "WorkingKeys",
        ]),
    library(
        "KMSCommand",
        uses: [
            "ArgumentParser", "Attestation", "Audit", "BearerTokens", "Capabilities", "Decryption",
            "DecryptionAPI", "DecryptionClient", "DecryptionStore", "DevChain", "EDV", "EnclaveLock",
            "Encodings", "HSMBridge", "HybridSealing", "InclusionProofs", "KMSConfiguration", "KMSDaemon",
            "Keystores", "LibCrypto", "LightClient", "Logging", "Migration", "OutboundHTTP", "RemoteLocks",
            "SecretMemory", "ServiceLifecycle", "SplitKeys", "Storage", "TFHE", "TPMBridge", "Token",
            "TrustBlocImport", "UnixSignals", "WalletClient", "WorkingKeys",
        ]),
    .executableTarget(name: "KMSd", dependencies: ["KMSCommand"], swiftSettings: settings),

    // What the daemon and the pairing library are measured with: time beside C, and memcheck for constant time.
    benchmark(
        "KMSBench",
        uses: [
            "Anchors", "ArgumentParser", "CGRPCLoad", "CP11Kit", "CTPMYardstick", "CYardstick", "Capabilities",
            "Decryption", "EnclaveLock", "Encodings", "HSMBridge", "Hummingbird", "LibCrypto", "LightClient",
            "Logging", "NIOCore", "Pairing", "SecretMemory", "TFHE", "TPMBridge", "Token", "WorkingKeys",
        ]),
    benchmark("PairingBench", uses: ["CYardstick", "Pairing"]),
    benchmark("ConstantTime", uses: ["CValgrind", "Pairing", "TFHE"]),
    .systemLibrary(name: "CValgrind", path: "Benchmarks/CValgrind", providers: [.apt(["valgrind"])]),
    .target(name: "CYardstick", path: "Benchmarks/CYardstick", cSettings: [.unsafeFlags(["-O2"])]),
    .target(name: "CGRPCLoad", path: "Benchmarks/CGRPCLoad", cSettings: [.unsafeFlags(["-O2"])]),
    .target(
        name: "CTPMYardstick", dependencies: ["CTSS2"], path: "Benchmarks/CTPMYardstick",
        cSettings: [.unsafeFlags(["-O2"])], linkerSettings: [.linkedLibrary("tss2-tctildr")]),

    // Tests.
    .target(
        name: "TestSupport", dependencies: dependencies(["LibCrypto", "SecretMemory", "Token"]),
        path: "Tests/TestSupport",
        exclude: ["Wycheproof"], swiftSettings: settings),
    .target(
        name: "TestTokens", dependencies: dependencies(["HSMBridge", "TestSupport", "Token"]),
        path: "Tests/TestTokens", swiftSettings: settings),
    tests("SecretMemory", uses: ["CProcess"]),
    tests("Encodings", uses: ["SecretMemory", "TestSupport"]),
    tests("Workers"),
    tests("PrometheusMetrics"),
    tests("LibCrypto", uses: ["SecretMemory", "TestSupport"]),
    tests("Pairing", exclude: ["Vectors"], settings: optimised),
    tests("TFHE", uses: ["LibCrypto", "SecretMemory", "TestSupport"], exclude: ["Vectors"]),
    tests("HybridSealing", uses: ["LibCrypto", "SecretMemory", "TestSupport"], exclude: ["Vectors"]),
    tests("InclusionProofs", uses: ["Encodings"], exclude: ["Vectors"]),
    tests("LightClient", uses: ["ChainNodes", "Encodings", "LibCrypto", "SecretMemory"], exclude: ["Vectors"]),
    tests(
        "WorkingKeys", uses: ["Encodings", "LibCrypto", "Pairing", "SecretMemory", "TestSupport"], exclude: ["Vectors"]),
    tests("DevChain", uses: ["InclusionProofs", "LibCrypto", "LightClient"]),
    tests("WalletClient", uses: ["SecretMemory", "TestSupport"]),
    tests("HSMBridge", uses: ["Encodings", "LibCrypto", "SecretMemory", "TestSupport", "TestTokens", "Token"]),
    tests(
        "TPMBridge",
        uses: [
            "EnclaveLock", "Encodings", "HSMBridge", "LibCrypto", "SecretMemory", "TestSupport", "TestTokens", "Token",
        ]),
    tests(
        "EnclaveLock",
        uses: ["Encodings", "HybridSealing", "SecretMemory", "TestSupport", "Token"], exclude: ["Golden"]),
    tests(
        "Audit",
        uses: [
            "EnclaveLock", "Encodings", "GRDB", "HSMBridge", "LibCrypto", "TestSupport", "TestTokens", "Token",
            "Workers",
        ]),
    tests("Migration", uses: ["EnclaveLock", "Encodings", "LibCrypto", "SecretMemory", "TestSupport", "Token"]),
    tests(
        "Attestation",
        uses: ["Encodings", "HSMBridge", "LibCrypto", "TPMBridge", "TestSupport", "TestTokens", "Token", "WorkingKeys"]),
    tests(
        "Anchors",
        uses: [
            "EnclaveLock", "Encodings", "HSMBridge", "Pairing", "SecretMemory", "TPMBridge", "TestSupport",
            "TestTokens", "Token",
        ]),
    tests("Capabilities", uses: ["Encodings", "LibCrypto", "SecretMemory", "TestSupport"], exclude: ["Vectors"]),
    tests("OutboundHTTP", uses: ["TestSupport"]),
    tests("BearerTokens", uses: ["Encodings", "LibCrypto", "OutboundHTTP", "SecretMemory", "TestSupport"]),
    tests("GNAP", uses: ["Capabilities", "Encodings", "LibCrypto", "OutboundHTTP", "SecretMemory", "TestSupport"]),
    tests(
        "EDV",
        uses: ["Capabilities", "Encodings", "LibCrypto", "OutboundHTTP", "SecretMemory", "TestSupport", "WorkingKeys"],
        exclude: ["Vectors"]),
    tests("RemoteLocks", uses: ["EnclaveLock", "Encodings", "OutboundHTTP", "SecretMemory", "TestSupport"]),
    tests("TrustBlocImport", uses: ["SecretMemory", "TestSupport", "WorkingKeys"], exclude: ["Vectors"]),
    tests(
        "Keystores",
        uses: [
            "Capabilities", "EnclaveLock", "Encodings", "GRDB", "HSMBridge", "LibCrypto", "SecretMemory", "Storage",
            "TestSupport", "TestTokens", "Token", "WorkingKeys",
        ]),
    tests(
        "SplitKeys",
        uses: ["Anchors", "Audit", "Encodings", "LibCrypto", "Pairing", "SecretMemory", "TestSupport", "Token"]),
    tests("Decryption", uses: ["Encodings", "LibCrypto", "SecretMemory", "TFHE", "Token"], exclude: ["Vectors"]),
    tests("DecryptionAPI", uses: ["Decryption", "NIOCore"]),
    tests("DecryptionStore", uses: ["Decryption", "EnclaveLock", "GRDB", "Storage", "TFHE", "TestSupport"]),
    tests(
        "KMSConfiguration", uses: ["BearerTokens", "Keystores", "Logging", "SecretMemory", "TestSupport", "Token"]),
    tests(
        "HTTPAPI",
        uses: [
            "Anchors", "Audit", "BearerTokens", "EnclaveLock", "Encodings", "GNAP", "HSMBridge", "HTTPTypes",
            "Hummingbird", "HummingbirdTesting", "KMSConfiguration", "KMSDaemon", "Keystores", "Logging",
            "SecretMemory", "SplitKeys", "Storage", "TestSupport", "TestTokens", "Token", "Yams",
        ]),
    tests(
        "KMSDaemon", uses: ["HTTPAPI", "NIOCore", "NIOHTTP1"]),
    tests(
        "KMSCommand",
        uses: [
            "ArgumentParser", "EnclaveLock", "Encodings", "HTTPAPI", "HTTPTypes", "KMSConfiguration", "KMSd",
            "SecretMemory", "TestSupport", "TestTokens",
        ]),
]

// The harnesses of every parser: a test that replays their inputs, or what `scripts/fuzz` runs.
let fuzzed = dependencies([
    "Anchors", "Attestation", "Audit", "BearerTokens", "Capabilities", "Decryption", "DecryptionAPI",
    "DecryptionClient", "DecryptionStore", "EDV", "EnclaveLock", "Encodings", "GNAP", "GRDB", "GRPCCore", "HTTPAPI",
    "HTTPTypes", "Hummingbird", "HybridSealing", "InclusionProofs", "KMSCommand", "KMSConfiguration", "Keystores",
    "LibCrypto", "LightClient", "Logging", "Migration", "NIOCore", "OutboundHTTP", "Pairing", "RemoteLocks",
    "SecretMemory", "SplitKeys", "SwiftProtobuf", "TFHE", "TPMBridge", "Token", "TrustBlocImport", "WorkingKeys",
])
let fuzzTarget: Target =
    fuzzing
    ? .executableTarget(
        name: "kmsd-fuzz", dependencies: fuzzed, path: "Tests/FuzzTests", exclude: ["Corpus", "Replay"],
        swiftSettings: settings,
        linkerSettings: [
            .unsafeFlags([Context.environment["KMSD_FUZZ_RUNTIME"] ?? ""]), .linkedLibrary("stdc++"),
            .linkedLibrary("m"),
        ])
    : .testTarget(name: "FuzzTests", dependencies: fuzzed, exclude: ["Corpus", "Driver"], swiftSettings: settings)

let package = Package(
    name: "kmsd",
    platforms: [.macOS(.v15)],
    products: [.executable(name: "kmsd", targets: ["KMSd"])],
    dependencies: packages,
    targets: targets + [fuzzTarget]
)
