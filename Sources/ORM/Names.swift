import Postgres

/// Why the database did not do what a statement asked for.
public typealias DatabaseError = PostgresError

/// Where the database is, and how it is used.
public typealias DatabaseConfiguration = PostgresConfiguration

/// One row of a result.
public typealias Row = Postgres.Row
