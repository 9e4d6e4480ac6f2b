import Foundation
import Glibc
import SecretMemory
import Testing

/// The directory is one for the process, so each test has a process of its own.
@Suite(.timeLimit(.minutes(10))) struct CredentialDirectoryTests {
    /// A volume as Kubernetes lays it out, in a directory of its own.
    static func volume(_ content: String = "secret", mode: mode_t = 0o440) -> String {
        let path = NSTemporaryDirectory() + "credentials-\(UUID().uuidString)"
        mkdir(path, 0o700)
        chmod(path, 0o1777)
        mkdir(path + "/..2026", 0o755)
        try? Data(content.utf8).write(to: URL(fileURLWithPath: path + "/..2026/pin"))
        chown(path + "/..2026/pin", geteuid(), getegid())
        chmod(path + "/..2026/pin", mode)
        symlink("..2026", path + "/..data")
        symlink("..data/pin", path + "/pin")
        return path
    }

    static func read(_ name: String) -> [UInt8]? {
        try? SecretFile.read("credential:" + name, lengths: 1...16).withUnsafeBytes { Array($0) }
    }

    @Test func linksInsideTheDirectoryAreFollowed() async {
        await #expect(processExitsWith: .success) {
            let path = CredentialDirectoryTests.volume()
            CredentialDirectory.use(path: path)
            guard CredentialDirectoryTests.read("pin") == Array("secret".utf8) else { exit(2) }
            symlink("./..data/../..data/./pin", path + "/around")
            guard CredentialDirectoryTests.read("around") != nil else { exit(3) }
            exit(0)
        }
    }

    @Test func whatLeavesTheDirectoryIsRefused() async {
        await #expect(processExitsWith: .success) {
            let path = CredentialDirectoryTests.volume()
            CredentialDirectory.use(path: path)
            let name = (path as NSString).lastPathComponent
            let targets = [
                path + "/..data/pin", "../\(name)/..data/pin", "..data/../../\(name)/..data/pin", "/", "..", ".",
                "loop", "..data", "..data/pin/x", "..data/nothing",
            ]
            for (index, target) in targets.enumerated() {
                let link = target == "loop" ? "loop" : "l\(index)"
                symlink(target, path + "/" + link)
                guard CredentialDirectoryTests.read(link) == nil else { exit(Int32(10 + index)) }
            }
            exit(0)
        }
    }

    @Test func everybodysSecretIsTakenOnlyWhenThatIsSaid() async {
        await #expect(processExitsWith: .success) {
            let path = CredentialDirectoryTests.volume(mode: 0o444)
            CredentialDirectory.use(path: path)
            guard CredentialDirectoryTests.read("pin") == nil else { exit(2) }
            CredentialDirectory.use(path: path, allowsWorldReadable: true)
            guard CredentialDirectoryTests.read("pin") != nil else { exit(3) }
            chmod(path + "/..2026/pin", 0o446)
            guard CredentialDirectoryTests.read("pin") == nil else { exit(4) }
            exit(0)
        }
    }

    /// The volume is exchanged all the time; every read gives one whole secret or none, never another file.
    @Test func anExchangeMeanwhileNeverShowsAnotherFile() async {
        await #expect(processExitsWith: .success) {
            let path = CredentialDirectoryTests.volume("one")
            let outside = path + ".outside"
            mkdir(outside, 0o700)
            try? Data("outside".utf8).write(to: URL(fileURLWithPath: outside + "/pin"))
            chmod(outside + "/pin", 0o600)
            CredentialDirectory.use(path: path)
            let writer = Thread {
                while true {
                    for target in [outside, "..2026"] {
                        symlink(target, path + "/..tmp")
                        rename(path + "/..tmp", path + "/..data")
                    }
                }
            }
            writer.start()
            var good = 0
            for _ in 0..<2000 {
                switch CredentialDirectoryTests.read("pin") {
                case nil: continue
                case Array("one".utf8): good += 1
                default: exit(2)
                }
            }
            exit(good > 0 ? 0 : 3)
        }
    }
}
