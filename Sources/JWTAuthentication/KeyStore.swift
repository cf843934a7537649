import EventLoop
import Logging

/// The identity provider's keys, which are loaded periodically, and on demand for unknown keys.
///
/// The conformance to `@unchecked Sendable` is sound: a store is accessed only on the thread of its event loop.
final class KeyStore: @unchecked Sendable {
    /// The interval between periodic loads of the keys. A key that the provider has withdrawn is rejected after the
    /// next load.
    static let interval = Duration.seconds(300)
    /// The minimum interval between attempts to load the keys, which limits the loads that tokens with unknown keys can
    /// cause. A failed periodic load is retried after this interval.
    static let minimumInterval = Duration.seconds(30)

    private let load: @Sendable () async throws -> KeySet
    private let now: @Sendable () -> Instant
    private let log = Logger(label: "aktify.authentication")
    private var keys: KeySet?
    private var lastAttempt: Instant?
    private var loading: Task<Void, Never>?
    /// A closure that is called after new keys have been loaded.
    var onChange: () -> Void = {}

    init(load: @escaping @Sendable () async throws -> KeySet, now: @escaping @Sendable () -> Instant = { .now }) {
        (self.load, self.now) = (load, now)
    }

    /// Whether keys have been loaded.
    var isReady: Bool { keys != nil }

    /// Returns the key that `name` identifies; `nil` when the provider has no such key. An unknown key may be new, so
    /// the keys are first loaded again, unless the last attempt was less than `minimumInterval` ago.
    func key(_ name: KeyIdentifier) async -> VerificationKey? {
        if let key = keys?[name] { return key }
        if loading == nil, let lastAttempt, now().duration(since: lastAttempt) < KeyStore.minimumInterval { return nil }
        await reload()
        return keys?[name]
    }

    /// Starts loading the keys periodically, as long as the store exists and its event loop runs.
    func startRefreshing() {
        guard let loop = Loop.current else { return }
        Task.detached(executorPreference: loop) { [weak self] in
            while let wait = await self?.refresh() { try? await loop.sleep(for: wait) }
        }
    }

    /// Loads the keys unless the last attempt was less than `minimumInterval` ago.
    /// - Returns: the time to wait before the next load.
    private func refresh() async -> Duration {
        let isDue = lastAttempt.map { now().duration(since: $0) >= KeyStore.minimumInterval } ?? true
        if isDue { await reload() }
        return hasFailed ? KeyStore.minimumInterval : KeyStore.interval
    }

    private var hasFailed = false

    /// Loads the keys, or waits for a load in progress, even when the task is cancelled. When the load fails, the
    /// previous keys remain in use.
    private func reload() async {
        guard let loop = Loop.current else { preconditionFailure("keys must be loaded on an event loop") }
        if let loading { return await loading.value }
        lastAttempt = now()
        // A detached task: when the request that started the load is cancelled, other requests may still wait for it.
        let task = Task.detached(executorPreference: loop) {
            do {
                self.keys = try await self.load()
                self.hasFailed = false
                self.onChange()
            } catch {
                self.hasFailed = true
                let consequence = self.isReady ? "; the previous keys remain in use" : ""
                self.log.warning("cannot load the identity provider's keys: \(error)\(consequence)")
            }
            self.loading = nil
        }
        loading = task
        await task.value
    }
}
