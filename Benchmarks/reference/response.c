// Converts rows in Postgres's binary format to a CGI response.
#include "reference.h"
#include <endian.h>
#include <string.h>

enum { ID, NAME, DESCRIPTION, IS_ACTIVE, CREATED_ON, UPDATED_ON };

static int64_t read_int64(PGresult *result, int row, int column) {
    uint64_t bytes;
    memcpy(&bytes, PQgetvalue(result, row, column), 8);
    return be64toh(bytes);
}

#define ADD(text, literal) append(text, literal, sizeof literal - 1)

static void append_row(struct text *text, PGresult *result, int row) {
    ADD(text, "{\"created_on\":");
    append_json_date(text, read_int64(result, row, CREATED_ON));
    ADD(text, ",\"description\":");
    append_json_text(text, PQgetvalue(result, row, DESCRIPTION), PQgetlength(result, row, DESCRIPTION));
    ADD(text, ",\"id\":");
    append_number(text, read_int64(result, row, ID));
    if (*PQgetvalue(result, row, IS_ACTIVE)) ADD(text, ",\"is_active\":true,\"name\":");
    else ADD(text, ",\"is_active\":false,\"name\":");
    append_json_text(text, PQgetvalue(result, row, NAME), PQgetlength(result, row, NAME));
    ADD(text, ",\"updated_on\":");
    append_json_date(text, read_int64(result, row, UPDATED_ON));
    ADD(text, "}");
}

static void append_list(struct text *text, PGresult *result) {
    ADD(text, "[");
    for (int row = 0, count = PQntuples(result); row < count; row++) {
        if (row) ADD(text, ",");
        append_row(text, result, row);
    }
    ADD(text, "]");
}

void write_response(enum operation operation, PGresult *result, struct text *head, struct text *body) {
    const char *status = operation == CREATE ? "201" : "200";
    head->count = body->count = 0;
    if (PQresultStatus(result) != PGRES_TUPLES_OK) status = "500";
    else if (operation == READ_LIST) append_list(body, result);
    else if (PQntuples(result) == 0) status = "404";
    else append_row(body, result, 0);
    ADD(body, "\n");
    ADD(head, "Status: ");
    append_string(head, status);
    ADD(head, "\r\nContent-Type: application/json\r\nContent-Length: ");
    append_number(head, body->count);
    ADD(head, "\r\n\r\n");
}
