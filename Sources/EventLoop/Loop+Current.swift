import Glibc

extension Loop {
    /// Where each thread keeps the loop that it runs.
    private static let slot: pthread_key_t = {
        var key = pthread_key_t()
        precondition(pthread_key_create(&key, nil) == 0, "no thread-local slot is left")
        return key
    }()

    /// The loop whose `run` the calling thread is in, if any.
    public static internal(set) var current: Loop? {
        get { pthread_getspecific(slot).map { Unmanaged<Loop>.fromOpaque($0).takeUnretainedValue() } }
        set { pthread_setspecific(slot, newValue.map { UnsafeRawPointer(Unmanaged.passUnretained($0).toOpaque()) }) }
    }
}
