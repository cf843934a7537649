// libfcgi used as in its documentation: each thread accepts a request and handles it synchronously.
#include "reference.h"
#include <fcgiapp.h>
#include <string.h>

static struct slice parameter(FCGX_Request *request, const char *name) {
    const char *value = FCGX_GetParam(name, request->envp);
    return value ? (struct slice){value, strlen(value)} : (struct slice){"", 0};
}

static struct slice read_body(FCGX_Request *request, struct text *body) {
    body->count = 0;
    for (int count = 1; count > 0; body->count += count) {
        reserve(body, 4096);
        count = FCGX_GetStr(body->bytes + body->count, 4096, request->in);
    }
    return (struct slice){body->bytes, body->count};
}

void *run_documented(void *unused) {
    struct text input = {0}, head = {0}, body = {0};
    struct query query = {0};
    PGconn *connection = connect_database(options.conninfo);
    FCGX_Request request;
    FCGX_InitRequest(&request, options.listener, 0);
    while (FCGX_Accept_r(&request) == 0) {
        struct slice method = parameter(&request, "REQUEST_METHOD"), target = parameter(&request, "REQUEST_URI");
        read_query(&query, (struct request){method, target, read_body(&request, &input)});
        PGresult *result = run_query(connection, &query);
        write_response(query.operation, result, &head, &body);
        PQclear(result);
        FCGX_PutStr(head.bytes, head.count, request.out);
        FCGX_PutStr(body.bytes, body.count, request.out);
        FCGX_Finish_r(&request);
    }
    return unused;
}
