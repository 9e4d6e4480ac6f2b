import ArgumentParser
import KMSDaemon

/// `kmsd doctor`.
struct DoctorCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Check everything the daemon depends on.",
        discussion: """
            Checks configuration, home directory, locked memory, PIN file, module, token, manifest, the token's objects, \
            the databases' structure and the clock; changes nothing and may run beside the daemon. Each line is ok, warn \
            or fail and says what to do; each is printed as it is found, and what is looked at meanwhile goes to standard error. Exit code 2 if anything but ok was found. The records of decisions have a check \
            of their own: kmsd audit verify.

              kmsd doctor --output json
            """)

    @OptionGroup var common: CommonOptions

    func work() async throws -> ExitStatus {
        let doctor: Doctor
        switch common.output {
        case .json:
            doctor = await Doctor.run { try common.configuration() }
            try Terminal.print(json: doctor)
        case .text:
            doctor = await Doctor.run(
                { try common.configuration() }, didFind: Self.tell,
                progress: { Terminal.complain("...   \($0)") })
        }
        return doctor.isContent ? .ok : .findings
    }

    private static func tell(_ check: Doctor.Check) {
        let grade = check.grade.rawValue.padding(to: 4)
        Terminal.print("\(grade)  \(check.name.padding(to: 14))  \(check.message)")
        if let remedy = check.remedy { Terminal.print("      -> \(remedy)") }
    }
}

extension String {
    fileprivate func padding(to width: Int) -> String { self + String(repeating: " ", count: max(0, width - count)) }
}
