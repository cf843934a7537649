import SQL
import Web

/// `{"created_on":…,"description":…,"id":…,"is_active":…,"name":…,"updated_on":…}`
extension Campaign: JSONWritable {
    func write(to json: inout JSONWriter) {
        json.beginObject()
        json.member("created_on", createdOn)
        json.member("description", description)
        json.member("id", id)
        json.member("is_active", isActive)
        json.member("name", name)
        json.member("updated_on", updatedOn)
        json.endObject()
    }
}

extension Timestamp: JSONWritable {
    /// Writes a date of RFC 9110; the microseconds are cut.
    public func write(to json: inout JSONWriter) { json.date(unixSeconds: unixSeconds) }
}

extension Campaign.Draft {
    /// Reads a draft, and checks all of it.
    /// - Throws: 422, with everything that is wrong.
    init(json: JSON) throws(HTTPError) {
        var form = try Form(json)
        name = form.text("name", 1...255) ?? ""
        description = form.text("description", 0...Int.max, default: "") ?? ""
        isActive = form.bool("is_active", default: true) ?? true
        try form.finish()
    }
}
