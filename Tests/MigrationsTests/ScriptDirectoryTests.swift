import Foundation
import Testing

@testable import Migrations

@Suite struct ScriptDirectoryTests {
    @Test func `an unreadable file is named in the error`() throws {
        let path = NSTemporaryDirectory() + UUID().uuidString
        defer { try? FileManager.default.removeItem(atPath: path) }
        try FileManager.default.createDirectory(atPath: "\(path)/versions/a.sql", withIntermediateDirectories: true)
        let error = #expect(throws: ScriptDirectory.FileError.self) { try ScriptDirectory(path).graph() }
        #expect(error?.description == "cannot read \(path)/versions/a.sql: Is a directory")
    }
}
