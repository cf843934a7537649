/// What names a request in its response and in the log.
enum RequestID {
    /// Takes the client's name for it when that is 1 to 128 of `A-Z a-z 0-9 . _ -`, else the server's, else makes one.
    static func choose(client: String?, server: String?) -> String {
        if let client, isUsable(client) { return client }
        return server ?? random()
    }

    private static func isUsable(_ id: String) -> Bool {
        (1...128).contains(id.utf8.count)
            && id.utf8.allSatisfy { byte in
                switch byte {
                case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x2d, 0x2e, 0x5f: true
                default: false
                }
            }
    }

    /// 128 random bits in hexadecimal, as nginx's `$request_id` is.
    private static func random() -> String {
        let halves = [UInt64.random(in: 0...UInt64.max), .random(in: 0...UInt64.max)]
        return halves.map { half in
            let digits = String(half, radix: 16)
            return String(repeating: "0", count: 16 - digits.count) + digits
        }.joined()
    }
}
