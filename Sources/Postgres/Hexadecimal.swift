extension FixedWidthInteger where Self: UnsignedInteger {
    /// The number in hexadecimal digits, padded with zeros to the type's width: sixteen digits for a `UInt64`.
    var hexadecimal: String {
        let digits = String(self, radix: 16)
        return String(repeating: "0", count: Self.bitWidth / 4 - digits.utf8.count) + digits
    }
}
