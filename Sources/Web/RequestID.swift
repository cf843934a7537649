import Synchronization

/// Chooses or generates the ID of a request.
enum RequestID {
    /// Returns the client's ID when it is valid (1 to 128 characters of `A-Z a-z 0-9 . _ -`), else the ID from the
    /// reverse proxy (`server`) when that is valid, else a new ID.
    static func choose(client: String?, server: String?) -> String {
        for case let id? in [client, server] where isUsable(id) { return id }
        return next()
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

    /// Generates an ID of 128 bits, in hexadecimal. The first 64 bits are random, and the same for all requests of this
    /// process; the others are computed from a counter. A counter is cheaper than random bytes from the kernel, and
    /// sufficient, since request IDs are not secret.
    private static func next() -> String {
        let process = process
        let half = mixed(process &+ count.wrappingAdd(1, ordering: .relaxed).newValue &* 0x9e37_79b9_7f4a_7c15)
        return String(unsafeUninitializedCapacity: 32) { text in
            for digit in 0..<16 {
                let shift = UInt64(60 - 4 * digit)
                text[digit] = hexDigit(process >> shift)
                text[16 + digit] = hexDigit(half >> shift)
            }
            return 32
        }
    }

    private static let process = UInt64.random(in: 0...UInt64.max)
    private static let count = Atomic<UInt64>(0)

    /// Returns the hexadecimal digit of a number's lowest four bits.
    private static func hexDigit(_ number: UInt64) -> UInt8 {
        let value = UInt8(truncatingIfNeeded: number & 0xf)
        return value < 10 ? 0x30 + value : 0x57 + value
    }

    /// Returns a number with its bits mixed by the finalizer of SplitMix64. The finalizer is a bijection: different
    /// numbers have different results.
    private static func mixed(_ number: UInt64) -> UInt64 {
        var bits = number
        bits = (bits ^ bits >> 30) &* 0xbf58_476d_1ce4_e5b9
        bits = (bits ^ bits >> 27) &* 0x94d0_49bb_1331_11eb
        return bits ^ bits >> 31
    }
}
