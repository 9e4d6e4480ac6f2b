import TPMBridge
import TestSupport
import Testing
import Token

@Suite(.timeLimit(.minutes(10))) struct TPMAddressTests {
    static let good = [
        "tpm:/dev/tpmrm0", "tpm:/dev/tpm0?pin-source=file:/var/lib/kmsd/tpm.pin",
        "TPM:?tcti=device:/dev/tpm0&pin-source=credential:tpm",
        "tpm:?tcti=swtpm:host=127.0.0.1,port=2321&pin-source=/run/pin&owner-source=/run/owner",
        "tpm:?tcti=swtpm:port=2321,host=::1", "tpm:?tcti=swtpm:path=/run/swtpm.sock&handles=0x81010200",
        "tpm:?tcti=swtpm%3Aport=2321&lockout=on",
    ]

    @Test(arguments: good) func isUnderstoodAndPrintedBack(_ text: String) throws {
        let address = try TPMAddress(parsing: text)
        #expect(try TPMAddress(parsing: address.description) == address)
    }

    @Test func attributesArriveWhereTheyBelong() throws {
        let address = try TPMAddress(
            parsing: "tpm:?tcti=swtpm:port=2321&pin-source=/a&owner-source=/b&handles=0x81020010&lockout=on")
        #expect(address.path == .tcp(host: "127.0.0.1", port: 2321))
        #expect(address.pinSource == "/a" && address.ownerSource == "/b")
        #expect(address.handles == 0x8102_0010 && address.lockout)
        #expect(try TPMAddress(parsing: "tpm:/dev/tpmrm0").handles == TPMAddress.standardHandles)
    }

    @Test(arguments: [
        "", "tpm", "tpm:", "tpm:?", "tpm:dev/tpm0", "tpm:/etc/passwd", "tpm:/dev/../etc/passwd", "tpm:/dev/",
        "tpm:/dev/tpm0?tcti=device:/dev/tpm1", "tpm:?tcti=", "tpm:?tcti=mssim", "tpm:?tcti=/usr/lib/evil.so",
        "tpm:?tcti=swtpm", "tpm:?tcti=swtpm:", "tpm:?tcti=swtpm:host=127.0.0.1", "tpm:?tcti=swtpm:port=0",
        "tpm:?tcti=swtpm:port=65536", "tpm:?tcti=swtpm:port=+1", "tpm:?tcti=swtpm:host=10.0.0.1,port=1",
        "tpm:?tcti=swtpm:host=localhost,port=1", "tpm:?tcti=swtpm:port=1,port=2", "tpm:?tcti=swtpm:path=run",
        "tpm:?tcti=swtpm:path=/a,port=1", "tpm:/dev/tpm0?handles=1", "tpm:/dev/tpm0?handles=0x80000000",
        "tpm:/dev/tpm0?handles=0x81010101", "tpm:/dev/tpm0?handles=0x81800000", "tpm:/dev/tpm0?lockout=yes",
        "tpm:/dev/tpm0?pin-value=1234", "tpm:/dev/tpm0?pin-source=pin", "tpm:/dev/tpm0?lockout=on&lockout=on",
        "tpm:/dev/tpm0?unknown=1", "tpm:/dev/tpm0?handles", "tpm:/dev/tpm%7A",
    ])
    func nonsenseIsRefused(_ text: String) {
        #expect {
            try TPMAddress(parsing: text)
        } throws: {
            [.configurationRefused, .pinSourceRefused].contains(($0 as? HSMError)?.code)
        }
    }

    @Test func aMistakenURIDoesNotShowAPIN() {
        for text in ["tpm:/dev/tpm0?pin-value=1234", "tpm:/dev/tpm0?pinvalue=1234", "tpm:1234"] {
            #expect {
                try TPMAddress(parsing: text)
            } throws: {
                !"\($0)".contains("1234")
            }
        }
    }

    @Test func mutationsNeverCrashAndWhatIsTakenIsPrintedBack() throws {
        var mutator = Mutator(seed: 20)
        for _ in 0..<5000 {
            let original = Self.good[mutator.below(Self.good.count)]
            let text = String(decoding: mutator.mutate(Array(original.utf8)), as: UTF8.self)
            guard let address = try? TPMAddress(parsing: text) else { continue }
            #expect(try TPMAddress(parsing: address.description) == address)
        }
    }
}
