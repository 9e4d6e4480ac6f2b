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

/// Field arithmetic is unusable unoptimised, so these targets are optimised in debug builds too, and as whole modules:
/// the generic towers must be specialised across files.
let optimised: [SwiftSetting] =
    settings + [.unsafeFlags(["-O", "-wmo", "-num-threads", "1", "-disable-batch-mode"])]

let hummingbird: Target.Dependency = .product(name: "Hummingbird", package: "hummingbird")
let grdb: Target.Dependency = .product(name: "GRDB", package: "GRDB.swift")

let package = Package(
    name: "kmsd",
    platforms: [.macOS(.v15)],
    products: [
        .executable(name: "kmsd", targets: ["KMSd"])
    ],
    dependencies: [
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1", traits: []),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-http-types.git", from: "1.8.0", traits: []),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-extras.git", from: "1.34.1"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0", traits: []),
        .package(url: "https://github.com/vapor/jwt-kit", from: "5.7.1"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    ],
    targets: [
        // C libraries, each imported by one target only (KMSBench measures the bare ones beside it).
        .systemLibrary(name: "CP11Kit", pkgConfig: "p11-kit-1", providers: [.apt(["libp11-kit-dev"])]),
        .systemLibrary(name: "CLibCrypto", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(name: "CTSS2", pkgConfig: "tss2-esys", providers: [.apt(["libtss2-dev"])]),
        .systemLibrary(name: "CSodium", pkgConfig: "libsodium", providers: [.apt(["libsodium-dev"])]),

        .systemLibrary(name: "CProcess"),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),

        // No NIO below this line: these build and test in seconds.
        .target(name: "SecretMemory", dependencies: ["CProcess"], swiftSettings: settings),
        .target(name: "TextEncodings", dependencies: ["SecretMemory"], swiftSettings: settings),
        .target(
            name: "HSMBridge", dependencies: ["CP11Kit", "SecretMemory", "TextEncodings"], swiftSettings: settings),
        .target(name: "LibCrypto", dependencies: ["CLibCrypto", "CSodium", "SecretMemory"], swiftSettings: settings),
        .target(
            name: "TPMBridge", dependencies: ["CTSS2", "HSMBridge", "LibCrypto", "SecretMemory", "TextEncodings"],
            swiftSettings: settings),
        .target(
            name: "EnclaveLock", dependencies: ["HSMBridge", "LibCrypto", "SecretMemory", "TextEncodings"],
            swiftSettings: settings),
        .target(
            name: "WorkingKeys", dependencies: ["LibCrypto", "Pairing", "SecretMemory", "TextEncodings"],
            swiftSettings: settings),
        .target(
            name: "Capabilities", dependencies: ["CZlib", "LibCrypto", "TextEncodings"], swiftSettings: settings),
        .target(name: "Pairing", swiftSettings: optimised),
        .target(name: "StrictJSON", swiftSettings: settings),
        .target(name: "Metering", swiftSettings: settings),
        .target(
            name: "WalletClient", dependencies: ["Pairing", "LibCrypto", "SecretMemory", "TextEncodings"],
            swiftSettings: settings),
        .target(
            name: "Anchors", dependencies: ["HSMBridge", "EnclaveLock", "Pairing", "LibCrypto", "SecretMemory"],
            swiftSettings: settings),
        .target(
            name: "Audit",
            dependencies: ["EnclaveLock", "HSMBridge", "LibCrypto", "SecretMemory", "Storage", "TextEncodings", grdb],
            swiftSettings: settings),
        .target(
            name: "Attestation",
            dependencies: ["Audit", "EnclaveLock", "HSMBridge", "LibCrypto", "WorkingKeys", "TextEncodings"],
            swiftSettings: settings),
        .target(
            name: "Keystores",
            dependencies: [
                "Metering",
                "HSMBridge", "EnclaveLock", "WorkingKeys", "Capabilities", "LibCrypto", "SecretMemory", "Storage", grdb,
            ],
            swiftSettings: settings),

        .target(name: "Storage", dependencies: [grdb], swiftSettings: settings),
        .target(
            name: "SplitKeys",
            dependencies: [
                "Anchors", "Audit", "HSMBridge", "EnclaveLock", "Pairing", "LibCrypto", "Outbound", "SecretMemory",
                "Storage", "TextEncodings", grdb,
            ],
            swiftSettings: settings),

        // Other servers, and the tokens their users bring.
        .target(
            name: "Outbound",
            dependencies: [
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"), .product(name: "NIOSSL", package: "swift-nio-ssl"),
            ],
            swiftSettings: settings),
        .target(
            name: "EDV",
            dependencies: [
                "Capabilities", "WorkingKeys", "LibCrypto", "SecretMemory", "StrictJSON", "Outbound", "TextEncodings",
            ],
            swiftSettings: settings),
        .target(
            name: "TrustBlocStore",
            dependencies: ["WorkingKeys", "StrictJSON", "LibCrypto", "SecretMemory", "TextEncodings"],
            swiftSettings: settings),
        .target(
            name: "RemoteLocks",
            dependencies: ["Outbound", "EnclaveLock", "StrictJSON", "LibCrypto", "SecretMemory", "TextEncodings"],
            swiftSettings: settings),
        .target(
            name: "BearerTokens",
            dependencies: [
                "Outbound", "StrictJSON", "LibCrypto", "SecretMemory", "TextEncodings",
                .product(name: "JWTKit", package: "jwt-kit"),
            ],
            swiftSettings: settings),

        .target(
            name: "GNAP",
            dependencies: ["Capabilities", "Outbound", "StrictJSON", "LibCrypto", "SecretMemory", "TextEncodings"],
            swiftSettings: settings),

        // The daemon.
        .target(
            name: "KMSServer",
            dependencies: [
                "HSMBridge", "EnclaveLock", "WorkingKeys", "Keystores", "Capabilities", "SecretMemory", "LibCrypto",
                "WalletClient", "BearerTokens", "EDV", "GNAP", "Metering", "Outbound", "RemoteLocks", "StrictJSON",
                "SplitKeys", "Audit", "Anchors", "Attestation", "TPMBridge", "TrustBlocStore", "TextEncodings",
                "Storage", hummingbird,
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "HummingbirdTLS", package: "hummingbird"),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOHTTPTypes", package: "swift-nio-extras"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "Yams", package: "Yams"),
            ],
            resources: [.embedInCode("Resources/openapi.yaml")],
            swiftSettings: settings),
        .executableTarget(name: "KMSd", dependencies: ["KMSServer"], swiftSettings: settings),

        // What the daemon is measured against; see scripts/bench.
        .executableTarget(
            name: "KMSBench",
            dependencies: [
                "CP11Kit", "HSMBridge", "EnclaveLock", "WorkingKeys", "Capabilities", "LibCrypto", "Anchors", "Pairing",
                "CYardstick", "CTPMYardstick", "TPMBridge", "SecretMemory", hummingbird,
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: settings),

        // What the pairing library is measured with: time beside C, and memcheck for constant time.
        .systemLibrary(name: "CValgrind", providers: [.apt(["valgrind"])]),
        .target(name: "CYardstick", cSettings: [.unsafeFlags(["-O2"])]),
        .target(
            name: "CTPMYardstick", dependencies: ["CTSS2"], cSettings: [.unsafeFlags(["-O2"])],
            linkerSettings: [.linkedLibrary("tss2-tctildr")]),
        .executableTarget(name: "PairingBench", dependencies: ["Pairing", "CYardstick"], swiftSettings: settings),
        .executableTarget(
            name: "ConstantTime", dependencies: ["Pairing", "CValgrind"], path: "Tests/ConstantTime",
            swiftSettings: settings),

        // Tests.
        .target(
            name: "TestSupport", dependencies: ["HSMBridge", "SecretMemory"], path: "Tests/TestSupport",
            exclude: ["Wycheproof"], swiftSettings: settings),
        .testTarget(
            name: "TextEncodingsTests", dependencies: ["TextEncodings", "SecretMemory", "TestSupport"],
            swiftSettings: settings),
        .testTarget(name: "SecretMemoryTests", dependencies: ["SecretMemory", "CProcess"], swiftSettings: settings),
        .testTarget(
            name: "HSMBridgeTests", dependencies: ["HSMBridge", "SecretMemory", "TestSupport", "TextEncodings"],
            swiftSettings: settings),
        .testTarget(
            name: "TPMBridgeTests",
            dependencies: [
                "TPMBridge", "EnclaveLock", "HSMBridge", "LibCrypto", "SecretMemory", "TestSupport", "TextEncodings",
            ],
            swiftSettings: settings),
        .testTarget(
            name: "LibCryptoTests", dependencies: ["LibCrypto", "SecretMemory", "TestSupport"], swiftSettings: settings),
        .testTarget(
            name: "EnclaveLockTests",
            dependencies: ["EnclaveLock", "HSMBridge", "LibCrypto", "SecretMemory", "TestSupport"],
            exclude: ["Golden"], swiftSettings: settings),
        .testTarget(
            name: "WorkingKeysTests", dependencies: ["WorkingKeys", "LibCrypto", "SecretMemory", "TestSupport"],
            exclude: ["Vectors"], swiftSettings: settings),
        .testTarget(
            name: "CapabilitiesTests",
            dependencies: ["Capabilities", "LibCrypto", "SecretMemory", "TestSupport", "TextEncodings"],
            exclude: ["Vectors"], swiftSettings: settings),
        .testTarget(
            name: "SplitKeysTests",
            dependencies: [
                "SplitKeys", "Anchors", "Audit", "EnclaveLock", "HSMBridge", "LibCrypto", "Pairing", "SecretMemory",
                "TestSupport", "TextEncodings",
            ],
            swiftSettings: settings),
        .testTarget(name: "PairingTests", dependencies: ["Pairing"], exclude: ["Vectors"], swiftSettings: settings),
        .testTarget(
            name: "EDVTests",
            dependencies: [
                "EDV", "Capabilities", "WorkingKeys", "LibCrypto", "SecretMemory", "StrictJSON", "Outbound",
                "TestSupport", "TextEncodings",
            ],
            exclude: ["Vectors"], swiftSettings: settings),
        .testTarget(
            name: "AnchorsTests",
            dependencies: [
                "Anchors", "EnclaveLock", "HSMBridge", "Pairing", "SecretMemory", "TPMBridge", "TestSupport",
            ],
            swiftSettings: settings),
        .testTarget(
            name: "WalletClientTests", dependencies: ["WalletClient", "SecretMemory", "TestSupport"],
            swiftSettings: settings),
        .testTarget(name: "MeteringTests", dependencies: ["Metering"], swiftSettings: settings),
        .testTarget(name: "StrictJSONTests", dependencies: ["StrictJSON", "TestSupport"], swiftSettings: settings),
        .testTarget(name: "OutboundTests", dependencies: ["Outbound", "TestSupport"], swiftSettings: settings),
        .testTarget(
            name: "TrustBlocStoreTests",
            dependencies: ["TrustBlocStore", "WorkingKeys", "SecretMemory", "TestSupport"],
            exclude: ["Vectors"], swiftSettings: settings),
        .testTarget(
            name: "RemoteLocksTests",
            dependencies: ["RemoteLocks", "Outbound", "EnclaveLock", "SecretMemory", "TestSupport"],
            swiftSettings: settings),
        .testTarget(
            name: "BearerTokensTests",
            dependencies: [
                "BearerTokens", "Outbound", "StrictJSON", "LibCrypto", "SecretMemory", "TestSupport", "TextEncodings",
            ],
            swiftSettings: settings),
        .testTarget(
            name: "GNAPTests",
            dependencies: [
                "GNAP", "Capabilities", "Outbound", "StrictJSON", "LibCrypto", "SecretMemory", "TestSupport",
                "TextEncodings",
            ],
            swiftSettings: settings),
        .testTarget(
            name: "KeystoresTests",
            dependencies: [
                "Keystores", "EnclaveLock", "HSMBridge", "WorkingKeys", "Capabilities", "LibCrypto", "SecretMemory",
                "TestSupport", grdb,
            ],
            swiftSettings: settings),
        .testTarget(
            name: "AuditTests",
            dependencies: [
                "Audit", "EnclaveLock", "HSMBridge", "LibCrypto", "TestSupport", "TextEncodings", grdb,
            ],
            swiftSettings: settings),
        .testTarget(
            name: "AttestationTests",
            dependencies: [
                "Attestation", "EnclaveLock", "HSMBridge", "TPMBridge", "LibCrypto", "TestSupport", "WorkingKeys",
                "TextEncodings",
            ],
            swiftSettings: settings),
        .testTarget(
            name: "KMSServerTests",
            dependencies: [
                "KMSServer", "KMSd", "Keystores", "EnclaveLock", "BearerTokens", "SecretMemory", "TestSupport",
                "Anchors", "Audit", "HSMBridge", "SplitKeys", "StrictJSON", "TextEncodings", hummingbird,
                .product(name: "HummingbirdTesting", package: "hummingbird"),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: settings),
    ]
)

// The harnesses of every parser: a test that replays their inputs, or what `scripts/fuzz` runs.
let fuzzed: [Target.Dependency] = [
    "Anchors", "Attestation", "Audit", "BearerTokens", "Capabilities", "EDV", "EnclaveLock", "GNAP", "HSMBridge",
    "Keystores", "KMSServer", "LibCrypto", "Outbound", "Pairing", "RemoteLocks", "SecretMemory", "SplitKeys",
    "StrictJSON", "TextEncodings", "TPMBridge", "TrustBlocStore", "WorkingKeys", hummingbird,
    .product(name: "Logging", package: "swift-log"), .product(name: "NIOCore", package: "swift-nio"),
]
package.targets.append(
    fuzzing
        ? .executableTarget(
            name: "kmsd-fuzz", dependencies: fuzzed, path: "Tests/FuzzTests", exclude: ["Corpus", "Replay"],
            swiftSettings: settings,
            linkerSettings: [
                .unsafeFlags([Context.environment["KMSD_FUZZ_RUNTIME"] ?? ""]), .linkedLibrary("stdc++"),
                .linkedLibrary("m"),
            ])
        : .testTarget(
            name: "FuzzTests", dependencies: fuzzed, exclude: ["Corpus", "Driver"], swiftSettings: settings))
