import Glibc
import HTTPTypes
import Web

extension Web.Request {
    /// Creates a request from the CGI meta-variables in `params`, a NULL-terminated array of `NAME=value` strings (RFC
    /// 3875, section 4.1), in a single pass.
    init(params: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>, body: [UInt8]) {
        var variables = MetaVariables()
        var next = params
        while let entry = next.pointee {
            variables.add(UnsafeRawPointer(entry).assumingMemoryBound(to: UInt8.self))
            next += 1
        }
        self = variables.request(body: body)
    }
}

/// The CGI meta-variables that are relevant for a request. The values point into the params, which must outlive them.
private struct MetaVariables: ~Copyable {
    /// The method of a request that has none, or whose method is not a valid token (RFC 9110, section 9.1). No route
    /// accepts this method, so that the response is 404 or 405.
    private static let noMethod = HTTPRequest.Method("-")!  // Sound: "-" is a token.

    private var method = MetaVariables.noMethod
    private var target = "/"
    private var scheme = "http"
    private var isHTTP10 = false
    private var serverName: UnsafePointer<UInt8>?
    private var serverPort: UnsafePointer<UInt8>?
    private var id: String?
    private var fields = HeaderFields(capacity: 512)

    mutating func add(_ entry: UnsafePointer<UInt8>) {
        guard let equals = strchr(UnsafeRawPointer(entry).assumingMemoryBound(to: CChar.self), 0x3d) else { return }
        let count = UnsafeRawPointer(equals) - UnsafeRawPointer(entry)
        let value = UnsafeRawPointer(equals + 1).assumingMemoryBound(to: UInt8.self)
        add(UnsafeBufferPointer(start: entry, count: count), value)
    }

    private mutating func add(_ name: UnsafeBufferPointer<UInt8>, _ value: UnsafePointer<UInt8>) {
        guard value.pointee != 0 else { return }
        switch name.count {
        case 6... where name.starts(with: "HTTP_"): addField(UnsafeBufferPointer(rebasing: name[5...]), value)
        case 14 where name.equals("REQUEST_METHOD"):
            method = value.equals("GET") ? .get : .init(String(cString: value)) ?? Self.noMethod
        case 11 where name.equals("REQUEST_URI"): target = Self.target(value)
        case 12 where name.equals("CONTENT_TYPE"): addField(name, value)
        case 14 where name.equals("CONTENT_LENGTH"): addField(name, value)
        case 14 where name.equals("REQUEST_SCHEME"): if !value.equals("http") { scheme = String(cString: value) }
        case 15 where name.equals("SERVER_PROTOCOL"): isHTTP10 = value.equals("HTTP/1.0")
        case 11 where name.equals("SERVER_NAME"): serverName = value
        case 11 where name.equals("SERVER_PORT"): serverPort = value
        case 10 where name.equals("REQUEST_ID"): id = String(cString: value)
        default: break
        }
    }

    /// Returns a request target as text. If the target is not UTF-8, its bytes outside ASCII are percent-encoded, and
    /// the request is handled as if the client had percent-encoded these bytes.
    private static func target(_ bytes: UnsafePointer<UInt8>) -> String {
        if let text = String(validatingCString: bytes.cString) { return text }
        let bytes = UnsafeBufferPointer(start: bytes, count: strlen(bytes.cString))
        return bytes.percentEncoded { $0 < 0x80 }
    }

    private mutating func addField(_ variable: UnsafeBufferPointer<UInt8>, _ value: UnsafePointer<UInt8>) {
        fields.append(variable: variable, UnsafeBufferPointer(start: value, count: strlen(value.cString)))
    }

    consuming func request(body: [UInt8]) -> Web.Request {
        if let serverName, !fields.contains(.hostName) {
            fields.append(
                .hostName, String(cString: serverName) + ":" + (serverPort.map { String(cString: $0) } ?? ""))
        }
        var request = Web.Request(
            method: method, target: target, scheme: scheme, headers: fields, body: body, id: id)
        request.isHTTP10 = isHTTP10
        return request
    }
}

extension UnsafePointer<UInt8> {
    fileprivate var cString: UnsafePointer<CChar> { UnsafeRawPointer(self).assumingMemoryBound(to: CChar.self) }

    fileprivate func equals(_ text: StaticString) -> Bool {
        strcmp(cString, UnsafeRawPointer(text.utf8Start).assumingMemoryBound(to: CChar.self)) == 0
    }
}

extension UnsafeBufferPointer<UInt8> {
    fileprivate func equals(_ text: StaticString) -> Bool { count == text.utf8CodeUnitCount && starts(with: text) }

    fileprivate func starts(with text: StaticString) -> Bool {
        count >= text.utf8CodeUnitCount && memcmp(baseAddress!, text.utf8Start, text.utf8CodeUnitCount) == 0
    }
}
