import CYardstick
import Pairing

/// The parts of a co-signature that are arithmetic, and what a C compiler makes of the same field.
enum PairingCells {
    static func measure() throws {
        var sink: UInt64 = 0
        try BatchTimer.measure("C yardstick: 40,000 BN254 field multiplications", turns: 1, batches: 100) {
            sink ^= kms_yardstick_bn254(40_000)
        }
        for probe in try PairingProbe.all() {
            try BatchTimer.measure(probe.name, turns: probe.runs, batches: 100) { probe.run() }
        }
        // The sum is used, so that the loop stays.
        if sink == 1 { StandardOutput.line("") }
    }
}
