/// A value that a statement can carry as a parameter, in Postgres's binary format (Postgres manual, chapter 55.2.3).
public protocol Bindable: Sendable {
    /// The object id of the Postgres type that the value is sent as (catalog `pg_type`).
    static var type: UInt32 { get }

    /// Appends the value's binary form; nothing of its length, which the caller measures.
    /// - Returns: whether there is a value: `false` sends NULL.
    func encode(into buffer: inout [UInt8]) -> Bool
}
