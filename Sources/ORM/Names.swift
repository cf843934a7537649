import Postgres

/// The error of a failed statement or connection.
public typealias DatabaseError = PostgresError

/// The configuration of a database: the server, the credentials, the limits and the timeouts.
public typealias DatabaseConfiguration = PostgresConfiguration

/// A role and its password.
public typealias DatabaseLogin = PostgresConfiguration.Login

/// A row of a result.
public typealias ResultRow = Postgres.ResultRow

/// A recorder of the statements of one request or one test.
public typealias QueryRecorder = Postgres.QueryRecorder

/// A record of an executed statement.
public typealias ExecutedStatement = Postgres.ExecutedStatement

/// The location in the source code that a statement was executed from.
public typealias CallSite = Postgres.CallSite

/// A causally consistent session of one client, which reads its own writes.
public typealias CausalSession = Postgres.CausalSession

/// A position in the write-ahead log.
public typealias WALPosition = Postgres.WALPosition
