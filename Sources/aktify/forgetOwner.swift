import AktifyAPI
import EventLoop
import Glibc
import Supervisor

/// Replaces this process by one that never knew how to connect as the owner of the schema, under the same process id and with the same
/// descriptors: a process that serves must not be able to tell, whatever makes it talk.
/// - Throws: `SystemError` when that is not possible.
func forgetOwner(_ environment: [String: String]) throws {
    let left = Config.withoutOwner(environment)
    for name in environment.keys where left[name] == nil { unsetenv(name) }
    // What was pending is applied; another revision is not this role's to apply.
    unsetenv("MIGRATE_ON_START")
    var arguments = CommandLine.arguments.map { strdup($0) } + [nil]
    execv(Inheritance.program, &arguments)
    throw SystemError("execute \(Inheritance.program)")
}
