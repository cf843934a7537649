import HTTPTypes
import Web

/// The CGI head of a response: its status, its header fields, an empty line (RFC 3875, section 6).
struct ResponseHead {
    let bytes: [UInt8]

    init(_ response: Response) {
        var head: [UInt8] = []
        head.reserveCapacity(512)
        head.append(contentsOf: "Status: ".utf8)
        head.append(contentsOf: String(response.status.code).utf8)
        head.append(contentsOf: " ".utf8)
        head.append(contentsOf: response.status.reasonPhrase.utf8)
        for field in response.headers {
            head.append(contentsOf: "\r\n".utf8)
            head.append(contentsOf: field.name.rawName.utf8)
            head.append(contentsOf: ": ".utf8)
            head.append(contentsOf: field.value.utf8)
        }
        head.append(contentsOf: "\r\n\r\n".utf8)
        bytes = head
    }
}
