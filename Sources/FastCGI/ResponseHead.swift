import HTTPTypes
import Web

/// The CGI header of a response: its status, its header fields and an empty line (RFC 3875, section 6).
struct ResponseHead {
    let bytes: [UInt8]

    init(_ response: Response) {
        let (reason, fields) = (response.status.reasonPhrase, response.headers.bytes)
        let code = response.status.code
        let count = 16 + reason.utf8.count + fields.count
        var bytes: [UInt8] = []
        bytes.append(addingCapacity: count) { head in
            head.append("Status: ")
            // A status code has three digits (RFC 9110, section 15).
            for divisor in [100, 10, 1] { head.append(0x30 + UInt8(code / divisor % 10)) }
            head.append(" ")
            head.append(utf8: reason)
            head.append("\r\n")
            fields.withUnsafeBufferPointer { head.append($0) }
            head.append("\r\n")
        }
        self.bytes = bytes
    }
}
