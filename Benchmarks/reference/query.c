// The statements, which are those of the API, and the mapping of requests to them.
#include "reference.h"
#include <endian.h>
#include <stdlib.h>
#include <string.h>

#define COLUMNS "id, name, description, is_active, created_on, updated_on, version"

static const struct {
    const char *name, *sql;
} statements[] = {
    [READ_ONE] = {"one", "SELECT " COLUMNS " FROM campaign WHERE id = $1::bigint"},
    [READ_LIST] = {"list", "SELECT " COLUMNS " FROM campaign ORDER BY id LIMIT $1::bigint"},
    [CREATE] = {"create", "INSERT INTO campaign (name, description, is_active) VALUES ($1, $2, $3) RETURNING " COLUMNS},
};

static int64_t number_after(struct slice target, const char *prefix) {
    const char *found = memmem(target.start, target.count, prefix, strlen(prefix));
    return found ? strtoll(found + strlen(prefix), NULL, 10) : 0;
}

// `buffer` has room for all three values with their terminating zeros, none of which is longer than the body. It is
// therefore not reallocated while `values` points into it.
static void read_campaign(struct query *query, struct slice body) {
    query->buffer.count = 0;
    reserve(&query->buffer, body.count + 32);
    const char *name = json_member(body, "name", &query->buffer);
    const char *description = json_member(body, "description", &query->buffer);
    const char *is_active = json_member(body, "is_active", &query->buffer);
    query->values[0] = name;
    query->values[1] = description ? description : "";
    query->values[2] = is_active ? is_active : "true";
}

void read_query(struct query *query, struct request request) {
    if (request.method.count == 4 && !memcmp(request.method.start, "POST", 4)) {
        query->operation = CREATE;
        read_campaign(query, request.body);
        return;
    }
    bool is_list = memchr(request.target.start, '?', request.target.count);
    query->operation = is_list ? READ_LIST : READ_ONE;
    query->number = htobe64(number_after(request.target, is_list ? "?limit=" : "/campaigns/"));
}

PGconn *connect_database(const char *conninfo) {
    PGconn *connection = PQconnectdb(conninfo);
    if (PQstatus(connection) != CONNECTION_OK) fail("connecting", PQerrorMessage(connection));
    for (int index = 0; index < 3; index++) {
        PGresult *result = PQprepare(connection, statements[index].name, statements[index].sql, 0, NULL);
        if (PQresultStatus(result) != PGRES_COMMAND_OK) fail("preparing a statement", PQerrorMessage(connection));
        PQclear(result);
    }
    return connection;
}

bool send_query(PGconn *connection, const struct query *query) {
    const char *name = statements[query->operation].name;
    if (query->operation == CREATE) return PQsendQueryPrepared(connection, name, 3, query->values, NULL, NULL, 1);
    const char *number = (const char *)&query->number;
    return PQsendQueryPrepared(connection, name, 1, &number, (int[]){8}, (int[]){1}, 1);
}

// Executes a query synchronously. Outside a transaction, Postgres commits each statement by itself.
PGresult *run_query(PGconn *connection, const struct query *query) {
    if (!send_query(connection, query)) fail("sending a query", PQerrorMessage(connection));
    PGresult *result = PQgetResult(connection);
    for (PGresult *none; (none = PQgetResult(connection));) PQclear(none);
    return result;
}
