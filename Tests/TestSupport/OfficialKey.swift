/// The key of 0Chain's own API tests (vector `src-zauth-01` of the split-key specification), with the half the tests
/// send and the signature that must come out.
public enum OfficialKey {
    public static let clientID = "03df8919e4d76f6ffa9e23c388576f0baa02360d6e903a84d69689e0b2b5a28c"
    public static let clientKey =
        "ff132aaf4eeb517478c7bdd19ba887dbd909c4527b78ac989f723e5b5c349f03"
        + "dc5a737071040edd5ba7a593e12264d895ad9cace1a50321886653ca8c366e13"
    public static let peerKey =
        "f06fe5513831714965ca33080052b3873bb2e785c5d2abd88a2f958e74872617"
        + "adf6e8c5fe5cb8ed0e0c218cde796707c0a9ef8f7e77756032eada0d5f3c9d00"
    public static let share = "863f94d6deacc75c658db3e22d27c31944fc562aeef6e5b97a31d9e25294111a"
    public static let hash = "7a8950d472c3a5a7cf0f27019c4507275d24e0bd3a97e1dedc7d77a132d9d6d3"
    public static let half = "5d65c31f8bcf64c259c3e155b78bb4c7c5ea2dae1d0d6da1a8b735f2bda2db84"
    public static let signature = "ce2bc5f96d058db808456f2bb325628b0ff66617f8e3df2ee1fc7ee945f06b03"
}
