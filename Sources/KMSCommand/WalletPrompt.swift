import CoreFoundation
import Glibc
import KMSDaemon
import SecretMemory

/// Asks the terminal for a secret without showing it.
enum WalletPrompt {
    private static let longest = 1024

    /// - Throws: `.usage` when there is no terminal to ask.
    static func read(_ prompt: String) throws -> SecretBytes {
        let terminal = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY)
        var shown = termios()
        guard terminal >= 0, tcgetattr(terminal, &shown) == 0 else {
            if terminal >= 0 { close(terminal) }
            throw CommandFailure(.usage, code: "usage", "there is no terminal to ask; give --secret-file")
        }
        defer { close(terminal) }
        var hidden = shown
        hidden.c_lflag &= ~tcflag_t(ECHO)
        guard tcsetattr(terminal, TCSAFLUSH, &hidden) == 0 else {
            throw CommandFailure(.failed, code: "terminal", "the terminal shows what is typed; nothing was read")
        }
        defer {
            _ = tcsetattr(terminal, TCSAFLUSH, &shown)
            _ = prompt.isEmpty ? 0 : write(terminal, "\n", 1)
        }
        _ = write(terminal, prompt, prompt.utf8.count)
        return try SecretBytes.make(capacity: longest) { buffer in
            var count = 0
            while count < buffer.count {
                let length = Glibc.read(terminal, buffer.baseAddress.map { $0 + count }, 1)
                if length < 0, errno == EINTR { continue }
                guard length == 1, buffer[count] != 0x0a else { break }
                count += 1
            }
            guard count > 0, count < buffer.count else {
                throw CommandFailure(
                    .usage, code: "usage", "1 to \(longest - 1) characters and a line break are needed")
            }
            return count
        }
    }
}
