// Modules that import ORM also need the types of queries: columns, conditions, orderings, assignments, timestamps.
@_exported import SQL
