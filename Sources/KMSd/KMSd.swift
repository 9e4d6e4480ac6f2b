import KMSCommand

@main struct KMSd {
    static func main() async { await CommandLineEntry.run() }
}
