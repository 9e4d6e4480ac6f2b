/// The keystore domain as fronts see it, in five parts; who uses one part asks for that one.
///
/// Identifiers: keystores `[A-Za-z0-9_-]{1,64}`, keys `[A-Za-z0-9_.-]{1,128}` but not `.` or `..`; anything else is
/// `.invalidArgument` before any lookup. Every method throws ``KMSError``; beside the codes a method names, each may throw
/// `.tokenUnavailable`, `.storageUnavailable`, `.overloaded`, `.deadlineExceeded`, `.keystoreLocked` and `.internal`.
///
/// Concurrency: any number of calls at once, from any task. A state change is visible to every call that starts after it
/// answered, and no earlier use gives its result after that.
public typealias KeystoreServing = KeystoreManaging & KeyManaging & KeyOperating & KeyAgreeing & MessageListSigning
