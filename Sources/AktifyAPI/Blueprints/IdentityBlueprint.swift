import Web

/// Creates a blueprint whose route returns the name and the role of the authenticated client, so that user interfaces
/// can offer only what the client may do.
func identityBlueprint() -> Blueprint {
    var identity = Blueprint("identity")
    identity.get("", IdentityOperations.identity, access: .role(.reader)) { request in
        // Without authentication, every client may do everything.
        .json { json in
            json.beginObject()
            json.member("name", request.principal?.name)
            json.member("role", (request.principal?.role ?? .admin).rawValue)
            json.endObject()
        }
    }
    return identity
}

/// The documentation of the identity blueprint's route.
private enum IdentityOperations {
    private static let nameDescription =
        "The name of the client: `key:` and the name of its API key, or `jwt:` and the subject of its token. It is "
        + "null when authentication is off."
    static let identity = Operation(
        "getIdentity", "Get the authenticated client and its role", tag: "service",
        responses: [
            Operation.Response(
                .ok, "The client and its role.",
                [
                    .init(
                        .json,
                        [
                            "type": "object", "required": ["name", "role"],
                            "properties": [
                                "name": [
                                    "type": ["string", "null"],
                                    "description": .string(nameDescription),
                                ],
                                "role": ["enum": .array(Role.allCases.map { .string($0.rawValue) })],
                            ],
                        ], example: ["name": "key:crm", "role": "editor"])
                ])
        ] + Operation.Response.failures(changes: false))
}
