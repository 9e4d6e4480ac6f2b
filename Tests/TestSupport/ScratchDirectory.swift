public import Foundation

/// Folders of one test process, only for its user, removed when the process ends.
public enum ScratchDirectory {
    /// Makes a new folder of mode 0700.
    public static func make(_ name: String = "scratch") throws -> URL {
        let folder = root.appendingPathComponent("\(name)-\(UUID().uuidString)")
        try FileManager.default.createDirectory(
            at: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        return folder
    }

    private static let root: URL = {
        // At exit rather than after each test: a token module may keep files open, and a crash leaves the evidence.
        atexit { try? FileManager.default.removeItem(at: ScratchDirectory.path) }
        try? FileManager.default.createDirectory(
            at: path, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
        return path
    }()

    private static let path = FileManager.default.temporaryDirectory
        .appendingPathComponent("kmsd-tests-\(UUID().uuidString)")
}
