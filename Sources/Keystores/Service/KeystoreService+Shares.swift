import EnclaveLock

extension KeystoreService {
    /// Listens to locks that find out that a user's shares were split again: what the old pair opened is closed.
    func watchShares() {
        for lock in locks.all {
            lock.shareChanges?.observe { [weak self] user in _ = self?.close(openedBy: user) }
        }
    }

    public func forgetShares(of user: String) async -> Int {
        for lock in locks.all { lock.forgetShare(of: user) }
        return close(openedBy: user)
    }

    /// Lock keys first, so that no key is opened with one of them afterwards.
    private func close(openedBy user: String) -> Int {
        let count = lockKeys.forget(openedBy: user)
        openedKeys.revoke { $0.isOpened(by: user) }
        return count
    }
}
