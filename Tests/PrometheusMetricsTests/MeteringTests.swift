import Testing

@testable import PrometheusMetrics

@Suite(.timeLimit(.minutes(10))) struct MeteringTests {
    @Test func aDurationFallsIntoTheFirstBucketThatHoldsIt() {
        let histogram = Histogram()
        for duration: Duration in [
            .zero, .milliseconds(5), .nanoseconds(5_000_001), .seconds(10), .seconds(11), .seconds(-3),
        ] { histogram.record(duration) }
        let (cumulative, sum) = histogram.snapshot()
        #expect(cumulative == [3, 4, 4, 4, 4, 4, 4, 4, 4, 4, 5, 6])
        #expect(abs(sum - 21.010000001) < 1e-9)
        histogram.record(since: nil)
        #expect(histogram.snapshot().cumulative.last == 6)
    }

    @Test func theTextIsWhatPrometheusReads() {
        var text = PrometheusText()
        let histogram = Histogram()
        histogram.record(.milliseconds(7))
        text.family("a_seconds", .histogram, "Help.")
        text.value("a_seconds", labels: ["type": "x\"\\\n"], histogram)
        text.family("b_count", .counter, "Help.")
        text.value("b_count", 5)
        let lines = text.text.split(separator: "\n").map(String.init)
        #expect(lines[0] == "# HELP a_seconds Help." && lines[1] == "# TYPE a_seconds histogram")
        #expect(lines[2] == #"a_seconds_bucket{type="x\"\\\n",le="0.005"} 0"#)
        #expect(lines[3] == #"a_seconds_bucket{type="x\"\\\n",le="0.01"} 1"#)
        #expect(lines[9] == #"a_seconds_bucket{type="x\"\\\n",le="1"} 1"#)
        #expect(lines[13] == #"a_seconds_bucket{type="x\"\\\n",le="+Inf"} 1"#)
        #expect(lines[14] == #"a_seconds_sum{type="x\"\\\n"} 0.007"#)
        #expect(lines[15] == #"a_seconds_count{type="x\"\\\n"} 1"#)
        #expect(lines[16...] == ["# HELP b_count Help.", "# TYPE b_count counter", "b_count 5"])
        #expect(text.text.hasSuffix("\n"))
    }

    @Test func parallelRecordsAreAllCounted() async {
        let metrics = RequestMetrics()
        await withTaskGroup(of: Void.self) { group in
            for task in 0..<8 {
                group.addTask {
                    for _ in 0..<1_000 {
                        metrics.record(route: "/a/\(task % 2)", status: 200 + task % 2, since: ContinuousClock.now)
                    }
                }
            }
        }
        var text = PrometheusText()
        metrics.write(to: &text)
        #expect(text.text.contains("kms_http_requests_count{path=\"/a/0\"} 4000\n"))
        #expect(text.text.contains("kms_http_response_seconds_count{path=\"/a/1\"} 4000\n"))
        #expect(text.text.contains("kms_http_response_status_count{status=\"201\"} 4000\n"))
    }

    @Test func labelsAreBounded() {
        let metrics = RequestMetrics()
        for index in 0..<10_000 { metrics.record(route: "/\(index)", status: index, since: ContinuousClock.now) }
        var text = PrometheusText()
        metrics.write(to: &text)
        let lines = text.text.split(separator: "\n")
        #expect(lines.count { $0.hasPrefix("kms_http_requests_count{") } == RequestMetrics.maximumRoutes + 1)
        #expect(lines.count { $0.hasPrefix("kms_http_response_status_count{") } == 501)
    }

    @Test func aMeterThatIsOffStartsNothing() {
        let meter = Meter()
        #expect(meter.start() == nil)
        meter.switchOn()
        #expect(meter.start() != nil)
    }
}
