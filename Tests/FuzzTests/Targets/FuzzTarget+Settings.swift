@testable import KMSConfiguration

extension FuzzTarget {
    static let settings = [
        FuzzTarget("configuration", longest: 2048) { bytes throws(FuzzFinding) in
            guard let entries = parsed({ try ConfigurationFile.parse(text(bytes), name: "kmsd.yaml") }),
                let configuration = parsed({
                    try Configuration(
                        values: ConfigurationValues(
                            flags: [:], environment: [:], file: (name: "kmsd.yaml", entries: entries)),
                        home: "/h", file: nil)
                })
            else { return }
            try claim(configuration.maximumBody >= 1024, "a bound is not kept")
        },
        FuzzTarget("setting-values", longest: 64) { bytes throws(FuzzFinding) in
            if let duration = DurationText.parse(text(bytes)) {
                try claim(
                    duration >= .zero && duration <= .seconds(100 * 366 * 24 * 3600), "a duration beyond its bounds")
            }
            if let count = ByteCountText.parse(text(bytes)) { try claim(count >= 0, "a size below zero") }
            if let address = parsed({ try ListenAddress(parsing: text(bytes)) }) {
                try claim((0...65_535).contains(address.port), "a port that is none")
            }
        },
    ]
}
