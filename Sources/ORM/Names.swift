import Postgres

/// Why the database did not do what a statement asked for.
public typealias DatabaseError = PostgresError

/// Where the database is, and how it is used.
public typealias DatabaseConfiguration = PostgresConfiguration

/// A role, and its password.
public typealias DatabaseLogin = PostgresConfiguration.Login

/// One row of a result.
public typealias ResultRow = Postgres.ResultRow

/// The statements of a request.
public typealias QueryRecorder = Postgres.QueryRecorder

/// A statement that was carried out.
public typealias ExecutedStatement = Postgres.ExecutedStatement

/// The place in the code that a statement comes from.
public typealias CallSite = Postgres.CallSite

/// What one client has written, and so has to see.
public typealias CausalSession = Postgres.CausalSession

/// A position in the database's log.
public typealias WALPosition = Postgres.WALPosition
