import HTTPTypes
import Web

/// The contract, as an OpenAPI 3.1 document: made once, of the routes that are mounted so far.
func documentationBlueprint(of app: Application) -> Blueprint {
    let document = app.openAPI(
        title: "Campaign API", version: "1.0.0",
        description: "Campaigns: create, read, change, delete, find and export them. Every error is JSON.")
    let response = Response.json(document)
    let tag = EntityTag(fingerprint(of: response))
    var documentation = Blueprint("documentation")
    documentation.get("") { request in
        if let condition = try request.ifNoneMatch(), condition.contains(tag) {
            return Response(.notModified, headers: [.eTag: tag.value])
        }
        var response = response
        response.headers[.eTag] = tag.value
        return response
    }
    return documentation
}

/// The same for the same bytes, in every process (FNV-1a, 64 bits).
private func fingerprint(of response: Response) -> String {
    guard case .bytes(let bytes) = response.body else { return "" }
    let hash = bytes.reduce(0xcbf2_9ce4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
    return String(hash, radix: 16)
}
