import CLinux
import EventLoop
import Glibc

/// Starts a program in a process group of its own: what a terminal or a service manager sends to the master's group is for the
/// master only.
/// - Parameters:
///   - command: the program's path, and its arguments.
///   - descriptors: those of this process, and which ones they become.
/// - Throws: `SystemError`; nothing is left of the attempt then.
package func spawn(
    _ command: [String], _ environment: [String: String], descriptors: [(own: Int32, its: Int32)]
) throws(SystemError) -> pid_t {
    // Out of the way of those that they become.
    var high: [Int32] = []
    defer { high.forEach { close($0) } }
    for descriptor in descriptors { high.append(try check("duplicate a descriptor", dup_above(descriptor.own, 10))) }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    for (own, (_, its)) in zip(high, descriptors) { posix_spawn_file_actions_adddup2(&actions, own, its) }
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    setPlainSignalsAndOwnGroup(&attributes)
    let arguments = command.map { strdup($0) } + [nil]
    let variables = environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
    defer { (arguments + variables).forEach { free($0) } }
    var pid = pid_t()
    let code = posix_spawn(&pid, command[0], &actions, &attributes, arguments, variables)
    guard code == 0 else { throw SystemError("start \(command[0])", code: code) }
    return pid
}

/// The master blocks signals and ignores SIGPIPE: its children begin as any process does.
private func setPlainSignalsAndOwnGroup(_ attributes: inout posix_spawnattr_t) {
    var (none, every) = (sigset_t(), sigset_t())
    sigemptyset(&none)
    sigfillset(&every)
    posix_spawnattr_setsigmask(&attributes, &none)
    posix_spawnattr_setsigdefault(&attributes, &every)
    posix_spawnattr_setpgroup(&attributes, 0)
    posix_spawnattr_setflags(
        &attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP))
}
