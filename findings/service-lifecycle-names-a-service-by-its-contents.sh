#!/usr/bin/env bash
# swift-service-lifecycle 2.13.0: a service without a name of its own is called by everything it holds, not by its type.
#
# Expected: "the service's type name", as the documentation of `serviceName` has it, in the log and in errors.
#
# Seen 2026-12-01, swift-service-lifecycle 2.13.0 with swift-log 1.16.2, Swift 6.3.1: the name is the description of the value, made when
# the configuration is made, so a structure's stored properties stand in it, to any depth. The error of a service that ends early
# carries it, and so do log lines at level debug. `serviceName:`, or a class, or CustomStringConvertible changes that.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
mkdir -p Sources/shown
cat >Package.swift <<'SWIFT'
// swift-tools-version: 6.0
import PackageDescription

let package = Package(
    name: "shown",
    dependencies: [
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", exact: "2.13.0"),
        .package(url: "https://github.com/apple/swift-log", exact: "1.16.2"),
        // What these use, named here only so that it stays the same.
        .package(url: "https://github.com/apple/swift-async-algorithms.git", exact: "1.1.4"),
        .package(url: "https://github.com/apple/swift-collections.git", exact: "1.6.0"),
    ],
    targets: [
        .executableTarget(
            name: "shown",
            dependencies: [
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "Logging", package: "swift-log"),
            ])
    ])
SWIFT
cat >Sources/shown/main.swift <<'SWIFT'
import Logging
import ServiceLifecycle

struct Account: Sendable { let user = "uploads", phrase = "correct horse" }

struct Uploader: Service {
    let account = Account()
    func run() async throws {}
}

let group = ServiceGroup(
    configuration: .init(services: [.init(service: Uploader())], logger: Logger(label: "shown") { _ in SwiftLogNoOpLogHandler() }))
do {
    try await group.run()
} catch {
    print(error)
}
SWIFT
swift run -c debug shown >seen 2>build.log || { tail -n 20 build.log; exit 1; }
cat seen
grep -q 'Uploader(account: .*phrase: "correct horse")' seen
