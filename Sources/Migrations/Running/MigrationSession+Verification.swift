import Postgres
import SQL

extension MigrationSession {
    /// What a revision's verification finds untrue, or fails at; `nil` when all of it is true.
    func untrue(of revision: Revision) async throws -> String? {
        for statement in revision.verification.statements {
            if let reason = try await reason(against: statement.sql) {
                let text = statement.sql.split(separator: "\n", omittingEmptySubsequences: false).joined(
                    separator: "\n    ")
                return "\(revision.file):\(statement.line): verification of \(revision.id): \(reason)\n    \(text)"
            }
        }
        return nil
    }

    /// A query must return rows of which each begins with true; what returns no columns must only not fail.
    private func reason(against sql: String) async throws -> String? {
        do {
            let result = try await connection.script(sql)
            guard !result.columns.isEmpty else { return nil }
            guard result.count > 0 else { return "it returns no row" }
            for index in 0..<result.count {
                var row = result.row(index)
                let value = try row.next(String?.self)
                guard value == "t" else {
                    return "it returns \(value.map { $0 == "f" ? "false" : $0 } ?? "NULL"), not true"
                }
            }
            return nil
        } catch let error as PostgresError where error.state != nil {
            return error.description
        }
    }
}
