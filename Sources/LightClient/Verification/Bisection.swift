/// The way from a trusted header to a later one, as a machine that only says what it wants to see next. Pure: whoever
/// drives it brings blocks and the time, from wherever.
///
/// It tries the target at once; where too little trusted power has signed, a header in between. Drive it with
/// ``request`` until that is ``Request/done``. Once a call has thrown, the machine is of no further use.
public struct Bisection: Sendable {
    public enum Request: Sendable, Equatable {
        /// The signed header of a height and its validators.
        case block(Int64)
        /// The validators of a height alone.
        case validators(Int64)
        /// ``Bisection/trusted`` is at the target.
        case done
    }

    private struct Waiting {
        let height: Int64
        /// Dropped if many are waiting; asked for again then.
        var block: (header: SignedHeader, validators: ValidatorSet)?
    }

    /// Blocks that are kept while a header before them is looked for.
    private static let keptBlocks = 8

    public let target: Int64
    /// The furthest header that is trusted by now.
    public private(set) var trusted: TrustedState
    public private(set) var request: Request
    /// Signed headers asked for so far.
    public private(set) var headerCount = 0

    private let rules: HeaderRules
    private let isSequential: Bool
    private let maximumHeaders: Int
    /// Heights still to be reached, the nearest last.
    private var waiting: [Waiting]

    /// - Parameters:
    ///   - isSequential: Whether to look at every header on the way.
    ///   - maximumHeaders: To ask for.
    /// - Throws: `.height` for a target below what is trusted.
    public init(
        from trusted: TrustedState, to target: Int64, _ rules: HeaderRules, isSequential: Bool = false,
        maximumHeaders: Int
    ) throws(LightClientError) {
        guard target >= trusted.height else {
            throw LightClientError(.height, "height \(target) is below the trusted height \(trusted.height)")
        }
        self.target = target
        self.trusted = trusted
        self.rules = rules
        self.isSequential = isSequential
        self.maximumHeaders = maximumHeaders
        waiting = target == trusted.height ? [] : [Waiting(height: target, block: nil)]
        request = .done
        try next()
    }

    /// Takes the block that was asked for.
    ///
    /// - Throws: As ``HeaderRules/stepForward(from:to:validators:now:)``, except for `.notEnoughTrust`; `.invalid` for a
    ///   block of another height; `.height` where more headers would be needed than are allowed.
    public mutating func take(
        _ block: SignedHeader, validators: ValidatorSet, now: ChainTime
    ) throws(LightClientError) {
        guard case .block(let height) = request, height == block.header.height else {
            throw .invalid("a header of height \(block.header.height) came, which was not asked for")
        }
        waiting[waiting.count - 1].block = (block, validators)
        try step(now)
    }

    /// Takes the validators that were asked for.
    ///
    /// - Throws: `.invalid` if they are not those that the header names; else as ``take(_:validators:now:)``.
    public mutating func take(validators: ValidatorSet, now: ChainTime) throws(LightClientError) {
        guard case .validators = request, let block = waiting.last?.block else {
            throw .invalid("validators came that were not asked for")
        }
        try trust(block.header.header, nextValidators: validators)
        try step(now)
    }

    private mutating func step(_ now: ChainTime) throws(LightClientError) {
        while let block = waiting.last?.block {
            do throws(LightClientError) {
                try rules.stepForward(from: trusted, to: block.header, validators: block.validators, now: now)
            } catch {
                guard error.code == .notEnoughTrust else { throw error }
                let gap = block.header.header.height - trusted.height
                // Nine sixteenths of the way, as others do; a gap of two has one height in it.
                let part = gap / 16 * 9 + gap % 16 * 9 / 16
                waiting.append(Waiting(height: trusted.height + max(1, part), block: nil))
                if waiting.count > Self.keptBlocks { waiting[waiting.count - 1 - Self.keptBlocks].block = nil }
                break
            }
            let header = block.header.header
            guard header.nextValidatorsHash == header.validatorsHash else {
                request = .validators(header.height + 1)
                return
            }
            try trust(header, nextValidators: block.validators)
        }
        try next()
    }

    private mutating func trust(_ header: BlockHeader, nextValidators: ValidatorSet) throws(LightClientError) {
        trusted = try TrustedState(header: header, nextValidators: nextValidators)
        waiting.removeLast()
    }

    private mutating func next() throws(LightClientError) {
        guard let nearest = waiting.last else {
            request = .done
            return
        }
        if isSequential, nearest.height > trusted.height + 1 {
            waiting.append(Waiting(height: trusted.height + 1, block: nil))
        }
        headerCount += 1
        guard headerCount <= maximumHeaders else {
            throw LightClientError(.height, "height \(target) cannot be reached by \(maximumHeaders) headers")
        }
        request = .block(waiting[waiting.count - 1].height)
    }
}

/// The way from a trusted header back to an earlier one, hash by hash. Pure, as ``Bisection``.
public struct BackwardWalk: Sendable {
    public let target: Int64
    /// The furthest header that is reached by now.
    public private(set) var reached: VerifiedHeader
    private let rules: HeaderRules

    /// - Throws: `.height` for a target above the start or below 1.
    public init(from newer: VerifiedHeader, to target: Int64, _ rules: HeaderRules) throws(LightClientError) {
        guard 1...newer.height ~= target else {
            throw LightClientError(.height, "height \(target) is not in 1 to \(newer.height)")
        }
        self.target = target
        self.rules = rules
        reached = newer
    }

    /// The height of the header to bring next; nil at the target.
    public var request: Int64? { reached.height == target ? nil : reached.height - 1 }

    /// Takes the header that was asked for.
    ///
    /// - Throws: As ``HeaderRules/stepBack(from:to:)``.
    public mutating func take(_ header: BlockHeader) throws(LightClientError) {
        guard request != nil else { throw .invalid("a header came that was not asked for") }
        reached = try rules.stepBack(from: reached, to: header)
    }
}
