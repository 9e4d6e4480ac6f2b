import KMSServer

@main struct KMSd {
    static func main() async { await CommandLineEntry.run() }
}
