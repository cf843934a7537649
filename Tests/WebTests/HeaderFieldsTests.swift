import HTTPTypes
import Testing

@testable import Web

@Suite struct HeaderFieldsTests {
    @Test func `fields are stored in the form in which they are sent`() {
        var fields: HeaderFields = [.contentType: "text/csv"]
        fields.append(.contentLength, 120)
        fields.append(.eTag, quoted: -7)
        fields.append([.vary: "Accept"] as HeaderFields)
        let text = "Content-Type: text/csv\r\nContent-Length: 120\r\nETag: \"-7\"\r\nVary: Accept\r\n"
        #expect(String(decoding: fields.bytes, as: UTF8.self) == text)
        #expect(fields.count == 4)
    }

    @Test(arguments: [
        ("a\r\nb: c", "a  b: c"), (" a\t", "a"), ("\u{0}a\u{7f}b\u{1f}", "a b"), ("", ""), (" \t\r\n", ""),
        ("ä€", "ä€"),
        ("a\tb", "a\tb"), ("a  b", "a  b"),
    ])
    func `no value can inject a line`(value: String, kept: String) {
        var fields = HeaderFields()
        fields.append(.accept, value)
        fields.append(.eTag, "x")
        #expect(fields.value(of: .accept) == kept && fields.value(of: .eTag) == "x")
        #expect(String(decoding: fields.bytes, as: UTF8.self) == "Accept: \(kept)\r\nETag: x\r\n")
    }

    @Test(arguments: 0...0xff as ClosedRange<UInt8>)
    func `a control character becomes a space at every position`(byte: UInt8) {
        let isControl = byte < 0x20 && byte != 0x09 || byte == 0x7f
        for position in 1..<19 {
            var (value, kept) = ([UInt8](repeating: 0x61, count: 20), [UInt8](repeating: 0x61, count: 20))
            value[position] = byte
            kept[position] = isControl ? 0x20 : byte
            var (fields, name) = (HeaderFields(), "A")
            value.withUnsafeBufferPointer { value in _ = name.withUTF8 { fields.append(variable: $0, value) } }
            #expect(fields.bytes == Array("a: ".utf8) + kept + Array("\r\n".utf8))
        }
    }

    @Test(arguments: ["", "a b", "a:", "ä", "a\u{0}", "a\r\n", "a\"", "(a)"])
    func `a name that is no token is rejected`(name: String) {
        var (fields, name) = (HeaderFields(), name)
        let isAppended = name.withUTF8 { name in fields.append(variable: name, name) }
        #expect(!isAppended && fields.bytes.isEmpty && fields.count == 0)
    }

    @Test func `names are case-insensitive, and a prefix of a name does not match`() throws {
        var fields = HeaderFields()
        for (name, value) in [("ACCEPT-CHARSET", "1"), ("aCCept", "2"), ("x-accept", "3"), ("Accept", "4")] {
            fields.append(try #require(HTTPField.Name(name)), value)
        }
        #expect(fields.value(of: .accept) == "2" && fields.values(of: .accept) == ["2", "4"])
        #expect(fields[.accept] == "2, 4" && fields[.cookie] == nil && !fields.contains(.cookie))
    }

    @Test func `setting a value replaces all fields of that name, and nil removes them`() {
        var fields: HeaderFields = [.accept: "1", .vary: "2", .accept: "3"]
        fields[.accept] = "4"
        fields[.eTag] = "5"
        #expect(fields.map { "\($0.name)=\($0.value)" } == ["Accept=4", "Vary=2", "ETag=5"])
        fields[.vary] = nil
        #expect(fields.map { $0.name } == [.accept, .eTag])
    }
}
