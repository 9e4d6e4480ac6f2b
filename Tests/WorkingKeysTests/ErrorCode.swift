import WorkingKeys

/// The code of the error that `body` throws, or nil if it returns.
func code(_ body: () throws -> Void) -> WorkingKeyError.Code? {
    do {
        try body()
        return nil
    } catch {
        return (error as? WorkingKeyError)?.code
    }
}
