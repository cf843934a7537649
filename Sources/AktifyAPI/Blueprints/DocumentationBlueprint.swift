import HTTPTypes
import Resources
import Web

/// Creates a blueprint that serves the OpenAPI 3.1 document of the API. The document is generated once, by this call,
/// from the routes already mounted in `app`. Mount all other blueprints first.
func documentationBlueprint(of app: Application, credentials: Credentials?) -> Blueprint {
    let document = app.openAPI(
        title: "Campaign API", version: Release.version,
        description: "Create, read, change, delete, search and export campaigns. Every error is JSON.",
        credentials: credentials)
    let response = Response.json(document)
    let tag = EntityTag(fingerprint(of: response))
    var documentation = Blueprint("documentation")
    documentation.get("", access: .open) { request in
        if let condition = try request.ifNoneMatch(), condition.contains(tag) {
            return Response(.notModified, headers: [.eTag: tag.value])
        }
        var response = response
        response.headers[.eTag] = tag.value
        return response
    }
    return documentation
}

private func fingerprint(of response: Response) -> String {
    guard case .bytes(let bytes) = response.body else { return "" }
    return String(Fingerprint(bytes).value, radix: 16)
}
