import Testing

/// Tests that make the module initialise again, one at a time. Tests outside notice at most a pause.
@Suite(.serialized, .timeLimit(.minutes(10))) struct DisturbingTests {}
