import GRPCCore
import GRPCNIOTransportHTTP2Posix
import GRPCProtobuf
import SwiftProtobuf

/// gRPC's health checking: whether a question asked now could be answered.
///
/// Source: gRPC Health Checking Protocol.
struct HealthService: Sendable {
    static let name = "grpc.health.v1.Health"
    /// Full names; "" stands for all.
    let services: [String]
    let isServing: @Sendable () async -> Bool
    private static let pause = Duration.seconds(1)

    func register(_ router: inout RPCRouter<Transport>) {
        let (services, isServing) = (services, isServing)
        @Sendable func status() async -> HealthHealthCheckResponse {
            let serves = await isServing()
            return HealthHealthCheckResponse.with { $0.status = serves ? .serving : .notServing }
        }
        router.registerHandler(
            forMethod: MethodDescriptor(fullyQualifiedService: Self.name, method: "Check"),
            deserializer: ProtobufDeserializer<HealthHealthCheckRequest>(),
            serializer: ProtobufSerializer<HealthHealthCheckResponse>()
        ) { request, _ in
            let service = try await ServerRequest(stream: request).message.service
            guard service.isEmpty || services.contains(service) else {
                throw RPCError(code: .notFound, message: "there is no such service here")
            }
            return StreamingServerResponse(single: ServerResponse(message: await status()))
        }
        router.registerHandler(
            forMethod: MethodDescriptor(fullyQualifiedService: Self.name, method: "Watch"),
            deserializer: ProtobufDeserializer<HealthHealthCheckRequest>(),
            serializer: ProtobufSerializer<HealthHealthCheckResponse>()
        ) { request, context in
            let service = try await ServerRequest(stream: request).message.service
            let isKnown = service.isEmpty || services.contains(service)
            let cancellation = context.cancellation
            return StreamingServerResponse { writer in
                var told: HealthHealthCheckResponse?
                while !cancellation.isCancelled, !Task.isCancelled {
                    let now =
                        isKnown ? await status() : HealthHealthCheckResponse.with { $0.status = .serviceUnknown }
                    if now != told { try await writer.write(now) }
                    told = now
                    try await Task.sleep(for: Self.pause)
                }
                return [:]
            }
        }
    }
}
