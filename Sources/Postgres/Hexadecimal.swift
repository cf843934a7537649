extension FixedWidthInteger where Self: UnsignedInteger {
    /// All hexadecimal digits, leading zeros included: sixteen of a `UInt64`.
    var hexadecimal: String {
        let digits = String(self, radix: 16)
        return String(repeating: "0", count: Self.bitWidth / 4 - digits.utf8.count) + digits
    }
}
