import Testing
import Token

@Suite(.timeLimit(.minutes(10))) struct TokenURITests {
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
        ("p\u{212A}cs11:token=a", "pkcs11:"), ("pkcs11:token=a/b", "percent-encoded"),
        ("pkcs11:token=a\u{301}", "percent-encoded"), ("pkcs11:token=a#b", "percent-encoded"),
        ("pkcs11:token=a?module-path=/x&module-path=/y", "twice"), ("pkcs11:token=a;;serial=1", "name=value"),
        ("pkcs11:token=a?module-path=/x?pin-value=1234", "percent-encoded"), ("pkcs11:token=a?slot-id=1", "slot-id"),
        ("pkcs11:library-version=1", "library-version"), ("pkcs11:token=a;pin-value=1234", "pin-value"),
        ("pkcs11:" + String(repeating: "a", count: 5000), "longer"), ("", "pkcs11:"), ("pkcs11:=a", "name=value"),
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

    @Test func theCanonicalFormIsTheStandards() throws {
        let uri = try TokenURI(parsing: "PKCS11:serial=1;token=a%2fb%20c;id=A%01?pin-source=/run/p%7e&module-path=/x:y")
        #expect(uri.description == "pkcs11:token=a%2Fb%20c;serial=1;id=%41%01?module-path=/x:y&pin-source=/run/p~")
        #expect(try TokenURI(parsing: "pkcs11:").description == "pkcs11:")
    }
}
