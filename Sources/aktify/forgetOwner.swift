import AktifyAPI
import EventLoop
import Glibc
import Supervisor

/// Re-executes this process without the credentials of the schema's owner, under the same process id and with the same
/// descriptors. A process that handles requests must not have those credentials in its memory, where an attacker could
/// read them.
/// - Throws: `SystemError` when the program cannot be executed.
func forgetOwner(_ environment: [String: String]) throws {
    let remaining = Config.withoutOwner(environment)
    for name in environment.keys where remaining[name] == nil { unsetenv(name) }
    // The serving role may not apply revisions.
    unsetenv("MIGRATE_ON_START")
    var arguments = CommandLine.arguments.map { strdup($0) } + [nil]
    execv(Inheritance.program, &arguments)
    throw SystemError("execute \(Inheritance.program)")
}
