import ORM
import Web

/// Encodes rows as CSV (RFC 4180) with a header row. Lines end with CRLF.
///
/// Against formula injection, a cell that begins with `=`, `+`, `-`, `@`, a tab or a CR is prefixed with an apostrophe;
/// cells of numeric fields are not.
struct CSV<Model: ORM.Model> {
    /// The fields to write, one column each.
    let fields: [Field<Model>]

    /// The header row, which contains the names of the fields.
    var header: [UInt8] { line(fields.map(\.name)) }

    /// Returns the CSV lines of some rows.
    func lines(_ rows: [Model]) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(rows.count * 128)
        for row in rows {
            bytes += line(fields.map { field in field.isNumber ? field.text(row) : CSV.disarmed(field.text(row)) })
        }
        return bytes
    }

    private func line(_ cells: [String]) -> [UInt8] {
        // CSV readers skip an empty line, so that a single empty cell must be quoted.
        if cells == [""] { return Array("\"\"\r\n".utf8) }
        var line: [UInt8] = []
        for (index, cell) in cells.enumerated() {
            if index > 0 { line.append(UInt8(ascii: ",")) }
            CSV.append(cell, to: &line)
        }
        return line + [0x0d, 0x0a]
    }

    private static func append(_ cell: String, to line: inout [UInt8]) {
        let quote = UInt8(ascii: "\"")
        guard cell.utf8.contains(where: { $0 == quote || $0 == 0x2c || $0 == 0x0d || $0 == 0x0a }) else {
            line += cell.utf8
            return
        }
        line.append(quote)
        for byte in cell.utf8 { line += byte == quote ? [quote, quote] : [byte] }
        line.append(quote)
    }

    private static func disarmed(_ cell: String) -> String {
        guard let first = cell.utf8.first, "=+-@\t\r".utf8.contains(first) else { return cell }
        return "'" + cell
    }
}

extension Field {
    /// Whether the values of the field are numbers, according to the field's JSON Schema.
    fileprivate var isNumber: Bool {
        guard case .object(let members) = schema, let type = members["type"] else { return false }
        let types = if case .array(let all) = type { all } else { [type] }
        return types.contains("integer") || types.contains("number")
    }
}
