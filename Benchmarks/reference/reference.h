// Declarations shared by the files of the reference: a worker in C that handles only the campaign routes of the
// benchmark. It does not validate input, has no limits and no timeouts, and sends no header fields except the body's
// type and length.
#pragma once
#include <libpq-fe.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Borrowed bytes.
struct slice {
    const char *start;
    size_t count;
};

// A growable byte buffer. Freeing or reusing it is up to its owner.
struct text {
    char *bytes;
    size_t count, capacity;
};

// The parts of a request that are used.
struct request {
    struct slice method, target, body;
};

enum operation { READ_ONE, READ_LIST, CREATE };

// A request as a prepared statement with its parameters, which point into `buffer`.
struct query {
    enum operation operation;
    int64_t number;
    const char *values[3];
    struct text buffer;
};

// text.c
void reserve(struct text *text, size_t count);
void append(struct text *text, const char *bytes, size_t count);
void append_string(struct text *text, const char *string);
void append_number(struct text *text, int64_t number);
_Noreturn void fail(const char *what, const char *why);

// json.c
void append_json_text(struct text *text, const char *bytes, size_t count);
void append_json_date(struct text *text, int64_t microseconds);
const char *json_member(struct slice object, const char *name, struct text *values);

// query.c
void read_query(struct query *query, struct request request);
PGconn *connect_database(const char *conninfo);
bool send_query(PGconn *connection, const struct query *query);
PGresult *run_query(PGconn *connection, const struct query *query);

// response.c
void write_response(enum operation operation, PGresult *result, struct text *head, struct text *body);

// documented.c and loop.c: the thread functions.
void *run_documented(void *unused);
void *run_loop(void *unused);

// main.c
struct options {
    const char *conninfo;
    int listener;
    // Whether the statements of a loop iteration share one sync.
    bool shares_sync;
};
extern struct options options;
