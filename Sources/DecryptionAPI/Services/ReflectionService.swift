import Encodings
import Foundation
import GRPCCore
import GRPCNIOTransportHTTP2Posix
import GRPCProtobuf
import SwiftProtobuf

/// gRPC's server reflection, under both of its names, whose messages are the same.
///
/// Source: gRPC Server Reflection Protocol, v1 and v1alpha.
struct ReflectionService: Sendable {
    static let names = ["grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection"]
    /// Questions in one stream.
    private static let most = 100

    /// One proto that is served.
    struct File: Sendable {
        var name: String
        var package: String
        /// Full names.
        var services: [String]
        /// FileDescriptorProto.
        var descriptor: Data

        /// - Parameter base64: With line ends.
        init(_ name: String, package: String, services: [String], base64: String) {
            self.name = name
            self.package = package
            self.services = services
            descriptor = Data(base64Encoded: base64, options: .ignoreUnknownCharacters) ?? Data()
        }
    }

    let files: [File]

    func register(_ router: inout RPCRouter<Transport>) {
        let files = files
        for name in Self.names {
            router.registerHandler(
                forMethod: MethodDescriptor(fullyQualifiedService: name, method: "ServerReflectionInfo"),
                deserializer: ProtobufDeserializer<ReflectionServerReflectionRequest>(),
                serializer: ProtobufSerializer<ReflectionServerReflectionResponse>()
            ) { request, _ in
                let questions = request.messages
                return StreamingServerResponse { writer in
                    var left = Self.most
                    for try await question in questions {
                        guard left > 0 else {
                            throw RPCError(code: .resourceExhausted, message: "too many questions in one stream")
                        }
                        left -= 1
                        try await writer.write(Self.answer(question, files))
                    }
                    return [:]
                }
            }
        }
    }

    private static func answer(
        _ question: ReflectionServerReflectionRequest, _ files: [File]
    ) -> ReflectionServerReflectionResponse {
        ReflectionServerReflectionResponse.with { answer in
            answer.validHost = question.host
            answer.originalRequest = question
            var file: File?
            switch question.messageRequest {
            case .listServices:
                let services = files.flatMap(\.services) + names
                answer.listServicesResponse.service = services.map { name in
                    ReflectionServiceResponse.with { $0.name = name }
                }
                return
            case .fileByFilename(let name): file = files.first { $0.name == name }
            case .fileContainingSymbol(let symbol):
                file = files.first { symbol == $0.package || symbol.startsExactly(with: $0.package + ".") }
            default: break
            }
            if let file {
                answer.fileDescriptorResponse.fileDescriptorProto = [file.descriptor]
            } else {
                answer.errorResponse = ReflectionErrorResponse.with {
                    $0.errorCode = Int32(RPCError.Code.notFound.rawValue)
                    $0.errorMessage = "there is no such file, symbol or extension here"
                }
            }
        }
    }
}
