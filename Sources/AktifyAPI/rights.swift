import Authentication
import ORM
import SQL

/// The rights that the application's statements need, and no others: those on a resource's table follow from its routes.
///
/// A test runs all statements with them, and without each of them.
public let rights: [Right] =
    resources.flatMap(\.rights)
    + [
        Right(.select, on: IdempotencyKey.definition.name), Right(.insert, on: IdempotencyKey.definition.name),
        Right(.delete, on: IdempotencyKey.definition.name),
        // FOR UPDATE needs the right to update something.
        Right(.update, on: IdempotencyKey.definition.name, column: "created_on"),
        Right(.select, on: APIKeyRecord.definition.name),
        Right(.update, on: APIKeyRecord.definition.name, column: "last_used_on"),
        Right(.select, on: ChangeRecords.definition.name),
        Right(.select, on: "alembic_version"), Right(.select, on: "migration_revision"),
    ]
