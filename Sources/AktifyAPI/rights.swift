import Authentication
import ORM
import SQL

/// The database privileges that the role that serves requests needs, and no others. The privileges on the tables of
/// resources are derived from the routes of the resources.
///
/// A test runs all statements of that role with exactly these privileges, and verifies that each privilege is needed.
public let rights: [Right] =
    resources.flatMap(\.rights)
    + [
        Right(.select, on: IdempotencyKey.definition.name), Right(.insert, on: IdempotencyKey.definition.name),
        Right(.delete, on: IdempotencyKey.definition.name),
        // SELECT FOR UPDATE requires the UPDATE privilege on at least one column.
        Right(.update, on: IdempotencyKey.definition.name, column: "created_on"),
        Right(.select, on: APIKeyRecord.definition.name),
        Right(.update, on: APIKeyRecord.definition.name, column: "last_used_on"),
        Right(.select, on: ChangeRecords.definition.name),
        Right(.select, on: "alembic_version"), Right(.select, on: "migration_revision"),
    ]
