import DecryptionAPI
import HummingbirdCore
import NIOCore

/// Bounds the connections of the gRPC front as those of the HTTP one are: by a table of its own, with a share of the
/// descriptors that both have.
struct FrontConnections: ConnectionKeeping {
    let table: ConnectionTable

    func keep(listener: any Channel) -> EventLoopFuture<Void> {
        let table = table
        return table.attached(to: listener).flatMapThrowing {
            try listener.pipeline.syncOperations.addHandler(
                AvailableConnectionsChannelHandler(delegate: ConnectionBound(table: table)))
        }
    }

    func enter(_ channel: any Channel) -> any KeptConnection { Kept(table: table, entry: table.enter(channel)) }

    private struct Kept: KeptConnection {
        let table: ConnectionTable
        let entry: ConnectionTable.Entry

        func become(questions: Int, waiting: Int) {
            entry.become(questions == 0 ? .idle : waiting >= questions ? .midway : .busy)
        }

        func leave() { table.leave(entry) }
    }
}
