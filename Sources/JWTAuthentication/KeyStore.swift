import EventLoop
import Logging

/// The provider's keys, as they were loaded last, and loaded anew in time.
///
/// Sound as `@unchecked Sendable`: it is touched on its loop's thread only.
final class KeyStore: @unchecked Sendable {
    /// How often keys are loaded: a key that the provider has withdrawn ends by then.
    static let interval = Duration.seconds(300)
    /// How long after an attempt there is no other: tokens with keys that are not known may ask for more.
    static let pause = Duration.seconds(30)

    private let load: @Sendable () async throws -> KeySet
    private let now: @Sendable () -> Instant
    private let log = Logger(label: "aktify.authentication")
    private var keys: KeySet?
    private var attempted: Instant?
    private var loading: Waiter<Void>?
    /// Called when keys were replaced.
    var onChange: () -> Void = {}

    init(load: @escaping @Sendable () async throws -> KeySet, now: @escaping @Sendable () -> Instant = { .now }) {
        (self.load, self.now) = (load, now)
    }

    /// Whether any keys were loaded.
    var isReady: Bool { keys != nil }

    /// Finds a key; one that is not known may have come since the last time, so keys are loaded again, unless that was just done.
    /// - Throws: `CancellationError`.
    func key(_ name: KeyName) async throws -> VerificationKey? {
        if let key = keys?[name] { return key }
        if loading == nil, let attempted, now().duration(since: attempted) < KeyStore.pause { return nil }
        try await reload()
        return keys?[name]
    }

    /// Loads keys for as long as the store is there and its loop turns.
    func keepFresh() {
        guard let loop = Loop.current else { return }
        Task.detached(executorPreference: loop) { [weak self] in
            while let wait = await self?.refresh() { try? await loop.sleep(for: wait) }
        }
    }

    /// Loads keys unless that was just done.
    /// - Returns: how long to wait until the next time.
    private func refresh() async -> Duration {
        let isDue = attempted.map { now().duration(since: $0) >= KeyStore.pause } ?? true
        if isDue { try? await reload() }
        return hasFailed ? KeyStore.pause : KeyStore.interval
    }

    private var hasFailed = false

    /// Loads keys, or waits for who does; those that were there go on when that fails.
    private func reload() async throws {
        guard let loop = Loop.current else { preconditionFailure("keys belong to a loop") }
        if let loading { return try await loading.value() }
        let waiter = Waiter<Void>(on: loop)
        (loading, attempted) = (waiter, now())
        // Of its own: a request that is cancelled does not take it from the others.
        Task.detached(executorPreference: loop) {
            do {
                self.keys = try await self.load()
                self.hasFailed = false
                self.onChange()
            } catch {
                self.hasFailed = true
                let rest = self.isReady ? "; the old ones go on" : ""
                self.log.warning("the identity provider's keys could not be loaded: \(error)\(rest)")
            }
            self.loading = nil
            waiter.resume(returning: ())
        }
        try await waiter.value()
    }
}
