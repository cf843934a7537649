import Glibc
import Testing

@testable import Supervisor

/// A check of a new program passes if the program, run with `--check`, prints the expected line and exits with 0.
@Suite struct CheckProcessTests {
    private func problem(_ command: [String]) throws -> String? {
        let check = try CheckProcess(command, environment: [:])
        var raw: Int32 = 0
        waitpid(check.pid, &raw, 0)
        return check.problem(ExitStatus(raw: raw))
    }

    @Test func `a check that prints the expected line passes`() throws {
        #expect(try problem(["/bin/echo", Master.checkPassed]) == nil)
    }

    @Test func `a program that exits with 0 without printing the line is not accepted`() throws {
        #expect(try problem(["/bin/true"]) == "the new program does not know --check: is it aktify?")
    }

    @Test func `a failed check reports the program's output`() throws {
        #expect(try problem(["/bin/sh", "-c", "echo no; exit 1"]) == "no")
    }
}
