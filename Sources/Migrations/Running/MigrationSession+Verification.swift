import Postgres
import SQL

extension MigrationSession {
    /// Returns the first query of a revision's verification that fails or does not return true, as an error message;
    /// `nil` if all return true.
    func failedVerification(of revision: Revision) async throws -> String? {
        for statement in revision.verification.statements {
            if let reason = try await failure(of: statement.sql) {
                let text = statement.sql.split(separator: "\n", omittingEmptySubsequences: false).joined(
                    separator: "\n    ")
                return "\(revision.file):\(statement.line): verification of \(revision.id): \(reason)\n    \(text)"
            }
        }
        return nil
    }

    /// Returns why a query fails the verification; `nil` if it passes. A query must return at least one row, and true
    /// in the first column of each row. A statement without a result only has to succeed.
    private func failure(of sql: String) async throws -> String? {
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
