import CLinux
import EventLoop
import Glibc

/// Starts a program in its own process group, so that signals that a terminal or a service manager sends to the
/// master's group do not reach the program.
/// - Parameters:
///   - command: The program's path, followed by its arguments.
///   - environment: The environment variables.
///   - descriptors: Descriptors of this process and the numbers that they get in the child.
/// - Returns: The process id of the program.
/// - Throws: `SystemError` when the program cannot be started.
package func spawn(
    _ command: [String], _ environment: [String: String], descriptors: [(parent: Int32, child: Int32)]
) throws(SystemError) -> pid_t {
    // Duplicated to numbers from 10 on, so that no source descriptor is overwritten by a target.
    var duplicates: [Int32] = []
    defer { duplicates.forEach { close($0) } }
    for descriptor in descriptors {
        duplicates.append(try check("duplicate a descriptor", dup_above(descriptor.parent, 10)))
    }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    for (duplicate, (_, child)) in zip(duplicates, descriptors) {
        posix_spawn_file_actions_adddup2(&actions, duplicate, child)
    }
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    resetSignalsAndSetProcessGroup(&attributes)
    let arguments = command.map { strdup($0) } + [nil]
    let variables = environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
    defer { (arguments + variables).forEach { free($0) } }
    var pid = pid_t()
    let code = posix_spawn(&pid, command[0], &actions, &attributes, arguments, variables)
    guard code == 0 else { throw SystemError("start \(command[0])", code: code) }
    return pid
}

/// Makes a child start in its own process group, with an empty signal mask and default dispositions, since the master
/// blocks signals and ignores SIGPIPE.
private func resetSignalsAndSetProcessGroup(_ attributes: inout posix_spawnattr_t) {
    var (none, every) = (sigset_t(), sigset_t())
    sigemptyset(&none)
    sigfillset(&every)
    posix_spawnattr_setsigmask(&attributes, &none)
    posix_spawnattr_setsigdefault(&attributes, &every)
    posix_spawnattr_setpgroup(&attributes, 0)
    posix_spawnattr_setflags(
        &attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP))
}
