// The vocabulary of queries belongs to those who ask for rows: columns, conditions, orders, assignments, timestamps.
@_exported import SQL
