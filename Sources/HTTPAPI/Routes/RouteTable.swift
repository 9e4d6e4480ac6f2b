import HTTPTypes

/// Every route there is, found by path and method.
///
/// Segments are compared as they arrive: nothing is decoded, no slash is forgiven, so a path has one spelling. Finding a place
/// allocates nothing; what the braces stand for is copied.
struct RouteTable: Sendable {
    static let standard = RouteTable(
        [
            Route.health, Route.keystores, Route.keys, Route.operations, Route.boxes, Route.multiMessage,
            Route.wrapping, Route.blindSignatures, Route.firstGeneration, Route.zvault, Route.zauth,
        ].flatMap { $0 })

    /// The routes of one path. A class, so that a request takes one reference and not what is in it.
    final class Place: Sendable {
        fileprivate enum Segment: Sendable {
            case literal([UInt8])
            case parameter
        }

        fileprivate let segments: [Segment]
        let routes: [Route]
        /// As metrics name it: without identifiers; the first generation's routes have no name of their own there.
        let metric: String
        /// For `Allow`.
        let methods: String

        var path: StaticString { routes[0].path }
        var dialect: Dialect { routes[0].dialect }

        /// Nil for a method that the path does not have.
        func route(_ method: HTTPRequest.Method) -> Route? { routes.first { $0.method == method } }

        fileprivate init(_ routes: [Route]) {
            let path = "\(routes[0].path)"
            self.routes = routes
            metric = routes[0].dialect == .firstGeneration ? "other" : path
            let order: [HTTPRequest.Method] = [.get, .post, .put, .delete]
            methods = order.filter { method in routes.contains { $0.method == method } }.map(\.rawValue)
                .joined(separator: ", ")
            segments = path.utf8.dropFirst().split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
                .map { $0.first == UInt8(ascii: "{") ? .parameter : .literal(Array($0)) }
        }
    }

    /// A place, and what its braces stand for.
    struct Match: Sendable {
        let place: Place
        let parameters: (first: String, second: String)
    }

    let routes: [Route]
    let places: [Place]
    /// Indexes of ``places`` by their number of segments, in the order of the table: literals before braces.
    private let byCount: [[Int]]

    init(_ routes: [Route]) {
        self.routes = routes
        var order: [String] = []
        // exact: paths of ours.
        var grouped: [String: [Route]] = [:]
        for route in routes {
            let path = "\(route.path)"
            if grouped[path] == nil { order.append(path) }
            grouped[path, default: []].append(route)
        }
        places = order.compactMap { grouped[$0].map { Place($0) } }
        let deepest = places.map(\.segments.count).max() ?? 0
        var byCount: [[Int]] = Array(repeating: [], count: deepest + 1)
        for (index, place) in places.enumerated() { byCount[place.segments.count].append(index) }
        self.byCount = byCount
    }

    /// Nil for a path that names nothing.
    func find(_ path: Substring) -> Match? {
        var path = path
        return path.withUTF8 { bytes in
            guard bytes.first == UInt8(ascii: "/") else { return nil }
            return withUnsafeTemporaryAllocation(of: Int.self, capacity: byCount.count) { starts in
                // Where each segment begins; one more than there may be ends the search.
                var count = 0
                for index in bytes.indices where bytes[index] == UInt8(ascii: "/") {
                    guard count < byCount.count - 1 else { return nil }
                    starts[count] = index + 1
                    count += 1
                }
                for index in byCount[count] {
                    if let parameters = Self.match(places[index], bytes, starts, count) {
                        return Match(place: places[index], parameters: parameters)
                    }
                }
                return nil
            }
        }
    }

    private static func match(
        _ place: Place, _ bytes: UnsafeBufferPointer<UInt8>, _ starts: UnsafeMutableBufferPointer<Int>, _ count: Int
    ) -> (first: String, second: String)? {
        func segment(_ index: Int) -> UnsafeBufferPointer<UInt8> {
            let end = index + 1 < count ? starts[index + 1] - 1 : bytes.count
            return UnsafeBufferPointer(rebasing: bytes[starts[index]..<end])
        }
        // The last one tells most places apart.
        for index in stride(from: count - 1, through: 0, by: -1) {
            let found = segment(index)
            switch place.segments[index] {
            case .parameter: if found.isEmpty { return nil }
            case .literal(let wanted):
                guard isSame(found, wanted) else { return nil }
            }
        }
        var parameters = (first: "", second: "")
        for index in 0..<count {
            guard case .parameter = place.segments[index] else { continue }
            let text = String(decoding: segment(index), as: UTF8.self)
            if parameters.first.isEmpty { parameters.first = text } else { parameters.second = text }
        }
        return parameters
    }

    /// Segments are short: a plain loop is faster than what compares any two sequences.
    private static func isSame(_ found: UnsafeBufferPointer<UInt8>, _ wanted: [UInt8]) -> Bool {
        guard found.count == wanted.count else { return false }
        for index in wanted.indices where found[index] != wanted[index] { return false }
        return true
    }

    // MARK: What the rows say

    /// Every action of a keystore as its root capability lists them: in the order of the table, which is TrustBloc's.
    static let capabilityActions: [String] = {
        var actions: [String] = []
        for route in standard.routes where route.dialect == .present {
            if case .keystore(let action) = route.needs, !actions.contains(action) {
                actions.append(action)
            }
        }
        return actions
    }()
}
