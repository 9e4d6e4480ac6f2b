import HSMBridge
import Testing

@Suite struct TokenURITests {
    @Test func everyAttributeIsRead() throws {
        let uri = try TokenURI(
            parsing:
                "pkcs11:token=The%20Token;serial=0a1b;manufacturer=SoftHSM;model=v2;object=k;type=private;id=%01%ff"
                + "?module-path=/usr/lib/softhsm/libsofthsm2.so&pin-source=file:/run/pin")
        #expect(uri.token == "The Token")
        #expect(uri.serial == "0a1b")
        #expect(uri.id == [1, 0xFF])
        #expect(uri.type == "private")
        #expect(uri.modulePath == "/usr/lib/softhsm/libsofthsm2.so")
        #expect(uri.pinSource == "file:/run/pin")
    }

    @Test(arguments: [
        ("pkcs11:token=a?pin-value=1234", "pin-value"), ("pkcs11:slot-id=3", "slot"),
        ("pkcs11:token=a;token=b", "twice"), ("pkcs11:tokn=a", "tokn"), ("pkcs11:token=%zz", "hexadecimal"),
        ("pkcs11:token=%2", "hexadecimal"), ("pkcs11:token=a%00b", "text"), ("pkcs11:token=", "empty"),
        ("pkcs11:token=a?module-path=lib.so", "absolute"), ("pkcs11:token=a?module-name=x", "module-path"),
        ("pkcs11:module-path=/x", "after '?'"), ("https://x", "pkcs11:"), ("pkcs11:token", "name=value"),
        ("pkcs11:token=a b", "percent-encoded"), ("pkcs11:type=key", "type"),
        ("pkcs11:token=a?pin-source=x", "absolute"),
        ("pkcs11:token=a?pin-source=credential:../x", "credential"), ("pkcs11:token=%ff", "text"),
    ])
    func mistakesAreNamed(text: String, hint: String) {
        do throws(HSMError) {
            _ = try TokenURI(parsing: text)
            Issue.record("\(text) was accepted")
        } catch {
            #expect([.configurationRefused, .pinSourceRefused].contains(error.code))
            #expect(error.message.contains(hint), "\(error.message)")
            #expect(!error.message.contains("1234"))
        }
    }

    @Test func printingAndParsingAgree() throws {
        let uri = TokenURI(
            token: "ä ;?&=%", serial: "1", manufacturer: "m", model: "x/y", modulePath: "/a b", pinSource: "/p")
        #expect(try TokenURI(parsing: uri.description) == uri)
    }

    @Test func matchingNeedsEveryGivenAttribute() throws {
        let uri = try TokenURI(parsing: "pkcs11:token=a;serial=1")
        #expect(uri.matches(label: "a", serial: "1", manufacturer: "x", model: "y"))
        #expect(!uri.matches(label: "a", serial: "2", manufacturer: "x", model: "y"))
        #expect(!uri.matches(label: "A", serial: "1", manufacturer: "x", model: "y"))
    }

    /// No input crashes the parser, and whatever it accepts prints to something it reads back as equal.
    @Test func mutatedInputNeverCrashes() throws {
        var generator = SystemRandomNumberGenerator()
        let seed = Array("pkcs11:token=ab%20c;serial=0a;id=%01%02?module-path=/x.so&pin-source=file:/run/pin".utf8)
        var accepted = 0
        for _ in 0..<100_000 {
            var bytes = seed
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                switch Int.random(in: 0...2, using: &generator) {
                case 0:
                    bytes[Int.random(in: 0..<bytes.count, using: &generator)] = .random(in: 0...255, using: &generator)
                case 1: bytes.remove(at: Int.random(in: 0..<bytes.count, using: &generator))
                default:
                    bytes.insert(
                        .random(in: 0x20...0x7E, using: &generator),
                        at: Int.random(in: 0...bytes.count, using: &generator))
                }
            }
            guard let uri = try? TokenURI(parsing: String(decoding: bytes, as: UTF8.self)) else { continue }
            accepted += 1
            #expect(try TokenURI(parsing: uri.description) == uri)
        }
        #expect(accepted > 0)
    }
}
