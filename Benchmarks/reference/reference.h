// What the parts of the reference share: a worker in C that answers the campaign routes a benchmark asks for, and nothing else. It checks
// no input, has no limits and no timeouts, and writes no header fields but the body's type and length.
#pragma once
#include <libpq-fe.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Bytes that somebody else owns.
struct slice {
    const char *start;
    size_t count;
};

// Bytes that grow at their end. What is freed or kept is its owner's business.
struct text {
    char *bytes;
    size_t count, capacity;
};

// What nginx passes of a request.
struct request {
    struct slice method, target, body;
};

enum question { READ_ONE, READ_LIST, CREATE };

// A request as a prepared statement and its parameters, which lie in `held`.
struct query {
    enum question question;
    int64_t number;
    const char *values[3];
    struct text held;
};

// text.c
void reserve(struct text *text, size_t count);
void append(struct text *text, const char *bytes, size_t count);
void append_word(struct text *text, const char *word);
void append_number(struct text *text, int64_t number);
_Noreturn void fail(const char *what, const char *why);

// json.c
void append_json_text(struct text *text, const char *bytes, size_t count);
void append_json_date(struct text *text, int64_t microseconds);
const char *json_member(struct slice object, const char *name, struct text *held);

// query.c
void read_query(struct query *query, struct request request);
PGconn *connect_database(const char *conninfo);
bool send_query(PGconn *connection, const struct query *query);
PGresult *run_query(PGconn *connection, const struct query *query);

// answer.c
void write_answer(enum question question, PGresult *result, struct text *head, struct text *body);

// documented.c and loop.c: each is what a thread runs.
void *run_documented(void *unused);
void *run_loop(void *unused);

// main.c
struct options {
    const char *conninfo;
    int listener;
    // Whether the statements of a turn of the loop share one sync.
    bool shares_sync;
};
extern struct options options;
