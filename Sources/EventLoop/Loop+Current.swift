import Glibc

extension Loop {
    /// The thread-local storage key under which each thread stores the loop that it runs.
    private static let slot: pthread_key_t = {
        var key = pthread_key_t()
        precondition(pthread_key_create(&key, nil) == 0, "cannot create a thread-local storage key")
        return key
    }()

    /// The event loop that the calling thread is running; `nil` when the thread is not inside `run`.
    public static internal(set) var current: Loop? {
        get { pthread_getspecific(slot).map { Unmanaged<Loop>.fromOpaque($0).takeUnretainedValue() } }
        set { pthread_setspecific(slot, newValue.map { UnsafeRawPointer(Unmanaged.passUnretained($0).toOpaque()) }) }
    }
}
