import Token

/// Objects by their place on a token: keys and certificates by class and CKA_ID, data by what names them. A large token is
/// read once and then asked in memory: a search of a soft token reads every object.
struct ObjectIndex {
    private struct Place: Hashable {
        let objectClass: ObjectClass
        let names: [[UInt8]]

        init(_ object: CopiedObject) {
            objectClass = object.objectClass
            names =
                object.objectClass == .data
                ? [object.label, object.values[.application] ?? [], object.values[.objectID] ?? []] : [object.id]
        }

        init(_ objectClass: ObjectClass, id: [UInt8]) {
            self.objectClass = objectClass
            names = [id]
        }
    }

    private var places: [Place: [CopiedObject]] = [:]

    init(_ objects: [CopiedObject]) {
        for object in objects { add(object) }
    }

    mutating func add(_ object: CopiedObject) { places[Place(object), default: []].append(object) }

    /// What is where the object would be.
    func atPlace(of object: CopiedObject) -> [CopiedObject] { places[Place(object)] ?? [] }

    func publicKeys(id: [UInt8]) -> [CopiedObject] { places[Place(.publicKey, id: id)] ?? [] }
}
