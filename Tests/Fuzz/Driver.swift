import Glibc

@_silgen_name("LLVMFuzzerRunDriver")
private func runDriver(
    _ count: UnsafeMutablePointer<Int32>,
    _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>,
    _ test: @convention(c) (UnsafePointer<UInt8>?, Int) -> Int32
) -> Int32

// Set once, before libFuzzer starts.
nonisolated(unsafe) private var selectedTarget = FuzzTarget.all[0]

/// `fuzz TARGET [libFuzzer's options] CORPUS...`: fuzzes one target until libFuzzer's limit is reached or a property is
/// violated. Without the name of an existing target, lists all targets.
@main struct Driver {
    static func main() {
        guard CommandLine.argc > 1 else {
            for target in FuzzTarget.all { print(target.name) }
            return
        }
        guard let target = FuzzTarget.all.first(where: { $0.name == CommandLine.arguments[1] }) else {
            fatalError("there is no target \(CommandLine.arguments[1])")
        }
        selectedTarget = target
        var count = CommandLine.argc - 1
        var arguments = CommandLine.unsafeArgv + 1
        exit(
            withUnsafeMutablePointer(to: &arguments) { pointer in
                pointer.withMemoryRebound(
                    to: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>.self, capacity: 1
                ) { runDriver(&count, $0, test) }
            })
    }

    private static let test: @convention(c) (UnsafePointer<UInt8>?, Int) -> Int32 = { bytes, count in
        // 50 ms times four, since the address sanitizer and coverage instrumentation slow everything down.
        do {
            try selectedTarget.run(Array(UnsafeBufferPointer(start: bytes, count: count)), limit: .milliseconds(200))
        } catch {
            fatalError("\(error)")
        }
        return 0
    }
}
