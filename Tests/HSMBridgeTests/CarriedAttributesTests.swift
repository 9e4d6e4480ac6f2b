import Encodings
import Testing
import Token

@testable import HSMBridge

/// What a copy says of a key that arrived otherwise; one attribute at a time.
@Suite(.timeLimit(.minutes(10))) struct CarriedAttributesTests {
    private static let flags: [AttributeType: Bool] = [
        .private: true, .sensitive: true, .extractable: true, .modifiable: false, .encrypt: true, .decrypt: true,
        .wrap: false, .unwrap: false, .sign: false, .derive: false, .copyable: true,
    ]

    private static func key(
        _ flags: [AttributeType: Bool] = flags, values: [AttributeType: [UInt8]] = [.endDate: Array("20300101".utf8)],
        keyType: KeyType = .aes, length: UInt? = 32
    ) -> CopiedObject {
        CopiedObject(
            handle: 1, objectClass: .secretKey, keyType: keyType, label: [], id: [], flags: flags, values: values,
            valueLength: length, unread: [])
    }

    @Test("A key that arrived as it was has no difference, whatever it was copied from")
    func sameIsSame() {
        #expect(CarriedAttributes.differences(Self.key(), Self.key()).isEmpty)
        // Modules that unwrapped a key often do not tell its length.
        #expect(CarriedAttributes.differences(Self.key(), Self.key(length: nil)).isEmpty)
    }

    @Test(
        "A flag that arrived the other way round, or is not told where it must be, is a difference",
        arguments: [
            (AttributeType.private, false as Bool?), (.private, nil), (.sensitive, false), (.sensitive, nil),
            (.extractable, nil), (.modifiable, true), (.modifiable, nil), (.encrypt, false), (.encrypt, nil),
            (.wrap, true), (.unwrap, true), (.sign, true), (.derive, true), (.verify, true), (.signRecover, true),
            (.trusted, true),
        ])
    func flagsAreCompared(type: AttributeType, value: Bool?) {
        var flags = Self.flags
        flags[type] = value
        let found = CarriedAttributes.differences(Self.key(), Self.key(flags))
        #expect(found.count == 1 && found[0].contains(type.name), "\(found)")
    }

    @Test("What becomes stricter than it was is no difference: private and sensitive keys of a source that had neither")
    func stricterIsNoDifference() {
        var open = Self.flags
        open[.private] = false
        open[.sensitive] = false
        #expect(CarriedAttributes.differences(Self.key(open), Self.key()).isEmpty)
    }

    @Test("Dates, lists of mechanisms, templates and lengths that are lost or altered are differences")
    func valuesAreCompared() {
        let source = Self.key(values: [
            .endDate: Array("20300101".utf8), .allowedMechanisms: [UInt8](repeating: 1, count: 8),
        ])
        for (values, name) in [
            ([AttributeType.allowedMechanisms: [UInt8](repeating: 1, count: 8)], "CKA_END_DATE"),
            ([.endDate: Array("20300101".utf8)], "CKA_ALLOWED_MECHANISMS"),
            ([.endDate: Array("20310101".utf8), .allowedMechanisms: [UInt8](repeating: 1, count: 8)], "CKA_END_DATE"),
            (
                [.endDate: Array("20300101".utf8), .allowedMechanisms: [UInt8](repeating: 2, count: 8)],
                "CKA_ALLOWED_MECHANISMS"
            ),
        ] {
            let found = CarriedAttributes.differences(source, Self.key(values: values))
            #expect(found.count == 1 && found[0].contains(name), "\(found)")
        }
        #expect(CarriedAttributes.differences(Self.key(), Self.key(length: 16)) == ["it has 16 bytes instead of 32"])
        #expect(CarriedAttributes.differences(Self.key(), Self.key(keyType: .genericSecret)).count == 1)
    }

    @Test("Spellings of one public key are one: leading zeros, bare points, a curve by name")
    func spellingsAreOne() {
        func publicKey(_ values: [AttributeType: [UInt8]], _ type: KeyType) -> CopiedObject {
            CopiedObject(
                handle: 1, objectClass: .publicKey, keyType: type, label: [], id: [], flags: [:], values: values,
                valueLength: nil, unread: [])
        }
        let point = [4] + [UInt8](repeating: 9, count: 64)
        let curve = EllipticCurve.p256
        #expect(
            CarriedAttributes.differences(
                publicKey([.ecParameters: curve.parameters, .ecPoint: point], .ec),
                publicKey([.ecParameters: curve.parameters, .ecPoint: curve.attribute(fromPoint: point)], .ec)
            ).isEmpty)
        #expect(
            CarriedAttributes.differences(
                publicKey([.modulus: [0, 5], .publicExponent: [1, 0, 1]], .rsa),
                publicKey([.modulus: [5], .publicExponent: [0, 1, 0, 1]], .rsa)
            ).isEmpty)
        #expect(
            CarriedAttributes.differences(
                publicKey([.modulus: [5]], .rsa), publicKey([.modulus: [7]], .rsa)
            ) == ["CKA_MODULUS is another one"])
    }

    @Test("A key is never asked for with more than it had")
    func templatesAddNothing() {
        for isSparing in [true, false] {
            let template = CarriedAttributes.template(of: Self.key(), isSparing: isSparing)
            #expect(template.flag(.private) == true && template.flag(.sensitive) == true)
            #expect(template.flag(.extractable) == true && template.flag(.modifiable) == false)
            #expect(template.flag(.encrypt) == true && template.flag(.wrap) == (isSparing ? nil : false))
            #expect(template.flag(.verify) == nil && template.flag(.copyable) == nil)
        }
        var fixed = Self.flags
        fixed[.extractable] = nil
        #expect(CarriedAttributes.template(of: Self.key(fixed), isSparing: true).flag(.extractable) == false)
    }
}
