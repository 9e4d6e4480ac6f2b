/// How a client key was written down. The caller says which one it expects.
///
/// Source: tfhe-rs, the serialisation of `ClientKey` in the versions named; Concrete 2.11.0's export.
public enum ClientKeyFormat: String, Sendable, Hashable, CaseIterable {
    /// tfhe-rs 0.4 with plain bincode, integers only.
    case raw04 = "raw-0.4"
    /// tfhe-rs of early 2024, before 0.6 wrote a bound on noise and a probability of failure.
    case raw05 = "raw-0.5"
    /// tfhe-rs 0.6 with plain bincode.
    case raw06 = "raw-0.6"
    /// tfhe-rs 1.x with `safe_serialize`. What follows the parameters (keys for compression and others, not needed to
    /// decrypt) is not looked at.
    case safe05 = "safe-0.5"
    /// Concrete's `core_crypto::LweSecretKey` in the framing of tfhe-rs 1.x: bits and nothing else.
    case concrete = "concrete-lwe"
}
