import Keystores

extension Page {
    /// The items of every page.
    ///
    /// - Parameter page: Reads the page behind an item; nil for the first.
    static func all(_ page: (_ after: String?) async throws -> Page) async throws -> [Item] {
        var items: [Item] = []
        var after: String?
        repeat {
            let page = try await page(after)
            items += page.items
            after = page.next
        } while after != nil
        return items
    }
}
