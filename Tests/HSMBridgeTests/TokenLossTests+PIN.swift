import Foundation
import SecretMemory
import Synchronization
import TestSupport
import TestTokens
import Testing
import Token

@testable import HSMBridge

extension DisturbingTests.TokenLossTests {
    @Test func aWrongPINIsTriedExactlyOnce() async throws {
        let soft = try SoftHSMToken.make()
        let right = try String(contentsOf: soft.pinFile, encoding: .utf8)
        try Data("not-the-pin".utf8).write(to: soft.pinFile)
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: soft.pinFile.path)
        let faults = FaultPlan()
        let token = PKCS11Token(configuration: soft.configuration(), faults: faults)
        token.start()
        let error = await #expect(throws: HSMError.self) { try await token.waitUntilReady(timeout: .seconds(120)) }
        #expect(error?.code == .pinRefused)
        try Data(right.utf8).write(to: soft.pinFile)
        try await Task.sleep(for: .seconds(1))
        for _ in 0..<10 {
            let error = await #expect(throws: HSMError.self) { try await token.sign([1], with: .audit) }
            #expect(error?.code == .pinRefused)
        }
        #expect(faults.calls(of: "C_Login") == 1)
        let again = PKCS11Token(configuration: soft.configuration(), faults: faults)
        again.start()
        let second = await #expect(throws: HSMError.self) { try await again.waitUntilReady(timeout: .seconds(120)) }
        #expect(second?.code == .pinRefused)
        #expect(faults.calls(of: "C_Login") == 1, "not even by another object of the process")
        await again.shutdown()
        await token.shutdown()
    }

    @Test func anUnreadablePINIsRetriedWithoutALogin() async throws {
        let soft = try SoftHSMToken.make()
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: soft.pinFile.path)
        let faults = FaultPlan()
        let token = PKCS11Token(configuration: soft.configuration(), faults: faults)
        token.start()
        try await eventually("the file is refused") { token.health.error?.code == .pinSourceRefused }
        #expect(faults.calls(of: "C_Login") == 0)
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: soft.pinFile.path)
        try await token.waitUntilReady(timeout: .seconds(120))
        await token.shutdown()
    }

    @Test func aModulePathThatOthersControlIsRefused() async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
            "kmsd-module-\(UUID().uuidString)")
        try FileManager.default.createDirectory(
            at: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        defer { try? FileManager.default.removeItem(at: folder) }
        let soft = try SoftHSMToken.make()
        let copy = folder.appendingPathComponent("module.so")
        try FileManager.default.copyItem(
            atPath: URL(fileURLWithPath: soft.modulePath).resolvingSymlinksInPath().path, toPath: copy.path)
        try FileManager.default.setAttributes([.posixPermissions: 0o666], ofItemAtPath: copy.path)
        for path in [copy.path, folder.path, folder.path + "/absent.so", "module.so"] {
            var configuration = soft.configuration()
            configuration.uri.modulePath = path
            let token = PKCS11Token(configuration: configuration)
            token.start()
            try await eventually("\(path) is refused") { token.health.error?.code == .moduleRefused }
            await token.shutdown()
        }
    }
}
