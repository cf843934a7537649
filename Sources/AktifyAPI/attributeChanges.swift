import ORM
import Web

/// Sets the author of the change records (the audit trail) that a request writes: the client's name and the request ID.
/// This function is a middleware.
func attributeChanges(
    of request: Request, _ next: (Request) async throws -> Response
) async throws -> Response {
    let author = ChangeAuthor(name: request.principal?.name, requestID: request.id)
    return try await ChangeAuthor.$current.withValue(author) { try await next(request) }
}
