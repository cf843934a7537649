import Glibc
import Supervisor
import Testing

/// The settings of systemd's watchdog.
@Suite struct ServiceManagerTests {
    @Test func `the watchdog is notified twice in its timeout, unless that is 0 or meant for another process`() {
        func interval(_ timeout: String, _ process: pid_t? = nil) -> Duration? {
            var environment = ["WATCHDOG_USEC": timeout]
            environment["WATCHDOG_PID"] = process.map { String($0) }
            return ServiceManager.watchdogInterval(environment: environment)
        }
        #expect(interval("400000") == .milliseconds(200) && interval("400000", getpid()) == .milliseconds(200))
        #expect(interval("0") == nil && interval("-2") == nil && interval("400000", 1) == nil)
    }
}
