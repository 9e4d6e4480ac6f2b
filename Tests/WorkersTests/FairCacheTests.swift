import Testing

@testable import Workers

@Suite(.timeLimit(.minutes(10))) struct FairCacheTests {
    @Test func itNeverHoldsMoreThanItsCapacityAndFindsWhatItHolds() {
        var cache = FairCache<Int, Int, String>(capacity: 4)
        for number in 0..<100 { cache.insert(number * 10, number, owner: "o\(number % 3)") }
        #expect(cache.count == 4)
        let found = (0..<100).filter { cache.find($0) != nil }
        #expect(found.count == 4 && found.allSatisfy { cache.find($0) == $0 * 10 })
        #expect(found.contains(99))
    }

    @Test func whoHasManyPlacesGivesThemUpToWhoHasFew() {
        var cache = FairCache<Int, Int, String>(capacity: 8)
        cache.insert(-1, -1, owner: "few")
        for number in 0..<1_000 { cache.insert(number, number, owner: "many") }
        #expect(cache.find(-1) == -1)
        #expect(cache.count == 8)
        // Up to an equal part, the newcomer takes the places of the one who has more.
        for number in 0..<4 { cache.insert(number, -number - 2, owner: "few") }
        #expect((-5...(-1)).filter { cache.find($0) != nil }.count == 4)
    }

    @Test func withMoreOwnersThanPlacesTheNewestOneStillGetsOne() {
        var cache = FairCache<Int, Int, Int>(capacity: 4)
        for number in 0..<1_000 {
            cache.insert(number, number, owner: number)
            #expect(cache.find(number) == number)
            #expect(cache.count <= 4)
        }
    }

    @Test func whatWasUsedOutlivesWhatWasNot() {
        var cache = FairCache<Int, Int, String>(capacity: 3)
        for number in 0..<3 { cache.insert(number, number, owner: "o") }
        #expect(cache.find(0) == 0)
        cache.insert(3, 3, owner: "o")
        #expect(cache.find(0) == 0 && cache.find(1) == nil)
    }

    @Test func aRemovedValueIsGoneAndItsPlaceIsFree() {
        var cache = FairCache<Int, Int, String>(capacity: 2)
        cache.insert(1, 1, owner: "a")
        cache.insert(2, 2, owner: "b")
        cache.remove(1)
        cache.remove(7)
        #expect(cache.find(1) == nil && cache.count == 1)
        cache.insert(3, 3, owner: "a")
        #expect(cache.find(2) == 2 && cache.find(3) == 3)
        // The same key again, with another owner, takes no second place.
        cache.insert(4, 3, owner: "b")
        #expect(cache.find(3) == 4 && cache.count == 2)
    }
}
