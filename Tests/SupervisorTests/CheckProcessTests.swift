import Glibc
import Testing

@testable import Supervisor

/// What a program that is to take a master's place must say.
@Suite struct CheckProcessTests {
    private func problem(_ command: [String]) throws -> String? {
        let check = try CheckProcess(command, environment: [:])
        var raw: Int32 = 0
        waitpid(check.pid, &raw, 0)
        return check.problem(ExitStatus(raw: raw))
    }

    @Test func `a program that says that all is well may take over`() throws {
        #expect(try problem(["/bin/echo", Master.checkPassed]) == nil)
    }

    @Test func `a program that ends with 0 and says nothing is another one`() throws {
        #expect(try problem(["/bin/true"]) == "the new program does not know --check: is it aktify?")
    }

    @Test func `a program that fails says why`() throws {
        #expect(try problem(["/bin/sh", "-c", "echo no; exit 1"]) == "no")
    }
}
