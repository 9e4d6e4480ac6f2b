/// Holds tasks up at a point until the test lets them go.
actor Gate {
    private var closed = false
    private var held: [CheckedContinuation<Void, Never>] = []
    private var observers: [CheckedContinuation<Void, Never>] = []

    func close() { closed = true }

    /// Returns at once while the gate is open.
    func pass() async {
        guard closed else { return }
        for observer in observers { observer.resume() }
        observers = []
        await withCheckedContinuation { held.append($0) }
    }

    /// Returns when a task is held.
    func holds() async {
        guard held.isEmpty else { return }
        await withCheckedContinuation { observers.append($0) }
    }

    func open() {
        closed = false
        for task in held { task.resume() }
        held = []
    }
}
