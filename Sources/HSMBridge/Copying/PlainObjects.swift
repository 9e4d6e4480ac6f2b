import Token

/// Public keys, certificates and public data: objects that are made on the target from what the source shows.
enum PlainObjects {
    /// The template of the object on the target. Points are written as the standard has them, whatever form the source shows:
    /// some modules take another form and then refuse good signatures.
    static func template(of object: CopiedObject, isSparing: Bool) -> KeyTemplate {
        var attributes: [Attribute] = [
            .objectClass(object.objectClass), .flag(.token, true), .flag(.private, object.has(.private)),
            .bytes(.label, object.label),
        ]
        if let keyType = object.keyType { attributes.append(.keyType(keyType)) }
        if object.objectClass != .data, !object.id.isEmpty { attributes.append(.bytes(.id, object.id)) }
        if object.isKey {
            for use in CarriedAttributes.uses
            where object.flags[use] == true || (!isSparing && object.flags[use] != nil) {
                attributes.append(.flag(use, object.has(use)))
            }
        }
        for type in [AttributeType.modifiable, .copyable, .destroyable] where object.flags[type] == false {
            attributes.append(.flag(type, false))
        }
        for type in CarriedAttributes.values(of: object.objectClass) {
            guard let value = object.values[type] else { continue }
            attributes.append(.bytes(type, spelled(type, value, object)))
        }
        return KeyTemplate(attributes)
    }

    private static func spelled(_ type: AttributeType, _ value: [UInt8], _ object: CopiedObject) -> [UInt8] {
        guard type == .ecPoint, let curve = object.curve, let point = curve.point(fromAttribute: value) else {
            return value
        }
        return curve.attribute(fromPoint: point)
    }
}
