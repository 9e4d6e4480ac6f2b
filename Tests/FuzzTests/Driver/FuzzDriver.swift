import Glibc

/// Runs one target under libFuzzer: `kmsd-fuzz TARGET [libFuzzer's flags and folders]`; without arguments, lists them.
///
/// Built by `scripts/fuzz` only, with coverage counters in every module of ours.
@main struct FuzzDriver {
    // Safety: written once, before libFuzzer calls back on this same thread.
    nonisolated(unsafe) private static var target: FuzzTarget?

    static func main() {
        let name = CommandLine.arguments.dropFirst().first
        guard let name else {
            for target in FuzzTarget.all { print(target.name) }
            return
        }
        guard let target = FuzzTarget.all.first(where: { $0.name == name }) else {
            tell("kmsd-fuzz: there is no target '\(name)'")
            exit(2)
        }
        Self.target = target
        // libFuzzer takes the program's name and what follows ours; its arguments must outlive it.
        let arguments = [CommandLine.arguments[0], "-max_len=\(target.longest)"] + CommandLine.arguments.dropFirst(2)
        var count = CInt(arguments.count)
        let vector = UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>.allocate(capacity: arguments.count + 1)
        for (index, argument) in arguments.enumerated() { vector[index] = strdup(argument) }
        vector[arguments.count] = nil
        var pointer: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?> = vector
        exit(
            run(&count, &pointer) { bytes, length in FuzzDriver.feed(UnsafeBufferPointer(start: bytes, count: length)) }
        )
    }

    private static func feed(_ bytes: UnsafeBufferPointer<UInt8>) -> CInt {
        do throws(FuzzFinding) {
            try target?.run(Array(bytes))
        } catch {
            tell("FINDING: \(error)")
            abort()
        }
        return 0
    }

    private static func tell(_ message: String) {
        let line = Array((message + "\n").utf8)
        _ = write(STDERR_FILENO, line, line.count)
    }

    /// `LLVMFuzzerRunDriver` of compiler-rt; libFuzzer is linked without its own `main`.
    @_silgen_name("LLVMFuzzerRunDriver")
    private static func run(
        _ count: UnsafeMutablePointer<CInt>,
        _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>,
        _ body: @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt
    ) -> CInt
}
