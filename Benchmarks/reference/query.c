// The statements, which are the API's, and which of them a request asks for.
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

static int64_t number_behind(struct slice target, const char *prefix) {
    const char *found = memmem(target.start, target.count, prefix, strlen(prefix));
    return found ? strtoll(found + strlen(prefix), NULL, 10) : 0;
}

// Three values are held at most, each with a zero behind it, and none is longer than the body: they do not move while they are pointed to.
static void read_campaign(struct query *query, struct slice body) {
    query->held.count = 0;
    reserve(&query->held, body.count + 32);
    const char *name = json_member(body, "name", &query->held);
    const char *description = json_member(body, "description", &query->held);
    const char *is_active = json_member(body, "is_active", &query->held);
    query->values[0] = name;
    query->values[1] = description ? description : "";
    query->values[2] = is_active ? is_active : "true";
}

void read_query(struct query *query, struct request request) {
    if (request.method.count == 4 && !memcmp(request.method.start, "POST", 4)) {
        query->question = CREATE;
        read_campaign(query, request.body);
        return;
    }
    bool is_list = memchr(request.target.start, '?', request.target.count);
    query->question = is_list ? READ_LIST : READ_ONE;
    query->number = htobe64(number_behind(request.target, is_list ? "?limit=" : "/campaigns/"));
}

PGconn *connect_database(const char *conninfo) {
    PGconn *connection = PQconnectdb(conninfo);
    if (PQstatus(connection) != CONNECTION_OK) fail("connecting", PQerrorMessage(connection));
    for (int place = 0; place < 3; place++) {
        PGresult *result = PQprepare(connection, statements[place].name, statements[place].sql, 0, NULL);
        if (PQresultStatus(result) != PGRES_COMMAND_OK) fail("preparing", PQerrorMessage(connection));
        PQclear(result);
    }
    return connection;
}

bool send_query(PGconn *connection, const struct query *query) {
    const char *name = statements[query->question].name;
    if (query->question == CREATE) return PQsendQueryPrepared(connection, name, 3, query->values, NULL, NULL, 1);
    const char *number = (const char *)&query->number;
    return PQsendQueryPrepared(connection, name, 1, &number, (int[]){8}, (int[]){1}, 1);
}

// Outside a transaction Postgres commits each statement itself.
PGresult *run_query(PGconn *connection, const struct query *query) {
    if (!send_query(connection, query)) fail("sending", PQerrorMessage(connection));
    PGresult *result = PQgetResult(connection);
    for (PGresult *none; (none = PQgetResult(connection));) PQclear(none);
    return result;
}
