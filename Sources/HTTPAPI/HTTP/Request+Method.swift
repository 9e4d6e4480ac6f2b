package import HTTPTypes
package import Hummingbird

extension Request {
    /// The method whose route answers: HEAD is answered as GET is, without the body (RFC 9110, section 9.3.2).
    package var routedMethod: HTTPRequest.Method { method == .head ? .get : method }
}
