import SQL

/// All tables of the application, for its schema, its documentation, and the checks of both.
public let metadata = Metadata(Campaign.definition)
