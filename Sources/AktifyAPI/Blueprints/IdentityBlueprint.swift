import Web

/// Who a client is, and what it may do: for programs that offer people only that.
func identityBlueprint() -> Blueprint {
    var identity = Blueprint("identity")
    identity.get("", IdentityOperations.identity, access: .role(.reader)) { request in
        // Where nobody has to authenticate, everybody may do everything.
        .json { json in
            json.beginObject()
            json.member("name", request.principal?.name)
            json.member("role", (request.principal?.role ?? .admin).rawValue)
            json.endObject()
        }
    }
    return identity
}

/// What the route answers.
private enum IdentityOperations {
    static let identity = Operation(
        "getIdentity", "Who you are, and what you may do", tag: "service",
        answers: [
            Operation.Answer(
                .ok, "It.",
                [
                    .init(
                        .json,
                        [
                            "type": "object", "required": ["name", "role"],
                            "properties": [
                                "name": [
                                    "type": ["string", "null"],
                                    "description": "The key's name, behind `key:`; null where nobody has to authenticate.",
                                ],
                                "role": ["enum": .array(Role.allCases.map { .string($0.rawValue) })],
                            ],
                        ], example: ["name": "key:crm", "role": "editor"])
                ])
        ])
}
