// One event loop per thread: requests share pipelined connections to Postgres, and no thread blocks for a single
// request.
#include "fastcgi.h"
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

// As many connections for writes as a worker of the API has: a commit waits for the earlier ones on the same
// connection.
enum { QUEUE = 1024, EVENTS = 128, WRITERS = 8 };

// A connection to Postgres in pipeline mode, with a ring buffer of the requests in flight, in their order.
struct pipeline {
    PGconn *connection;
    struct {
        struct link *link;
        enum operation operation;
    } waiting[QUEUE];
    unsigned first, last, syncs;
    bool shares_sync, is_unsynced, waits_for_writability;
};

struct loop {
    int poller;
    struct pipeline reads, writers[WRITERS];
    unsigned turn;
    struct text head, body;
    struct query query;
};

// --- Postgres

static void watch(struct loop *loop, int operation, int descriptor, uint32_t events, void *source) {
    epoll_ctl(loop->poller, operation, descriptor, &(struct epoll_event){.events = events, .data.ptr = source});
}

static void open_pipeline(struct loop *loop, struct pipeline *pipeline, bool shares_sync) {
    pipeline->connection = connect_database(options.conninfo);
    pipeline->shares_sync = shares_sync;
    PQsetnonblocking(pipeline->connection, 1);
    PQenterPipelineMode(pipeline->connection);
    watch(loop, EPOLL_CTL_ADD, PQsocket(pipeline->connection), EPOLLIN, pipeline);
}

// Flushes libpq's output buffer, now or once the socket is writable.
static void flush(struct loop *loop, struct pipeline *pipeline) {
    bool waits = PQflush(pipeline->connection) == 1;
    if (waits == pipeline->waits_for_writability) return;
    pipeline->waits_for_writability = waits;
    watch(loop, EPOLL_CTL_MOD, PQsocket(pipeline->connection), waits ? EPOLLIN | EPOLLOUT : EPOLLIN, pipeline);
}

// A sync ends an implicit transaction: a statement with its own sync is committed by itself.
static void sync_pipeline(struct loop *loop, struct pipeline *pipeline) {
    if (!PQpipelineSync(pipeline->connection)) fail("sending a sync", PQerrorMessage(pipeline->connection));
    pipeline->syncs++;
    pipeline->is_unsynced = false;
    flush(loop, pipeline);
}

static void enqueue(struct loop *loop, struct pipeline *pipeline, struct link *link) {
    if (pipeline->last - pipeline->first == QUEUE) fail("sending a query", "too many requests are in flight");
    if (!send_query(pipeline->connection, &loop->query)) fail("sending a query", PQerrorMessage(pipeline->connection));
    link->is_waiting = true;
    pipeline->waiting[pipeline->last % QUEUE].link = link;
    pipeline->waiting[pipeline->last++ % QUEUE].operation = loop->query.operation;
    pipeline->is_unsynced = true;
    if (!pipeline->shares_sync) sync_pipeline(loop, pipeline);
}

static void complete_first(struct loop *loop, struct pipeline *pipeline, PGresult *result) {
    struct link *link = pipeline->waiting[pipeline->first % QUEUE].link;
    write_response(pipeline->waiting[pipeline->first++ % QUEUE].operation, result, &loop->head, &loop->body);
    link->is_waiting = false;
    if (link->is_closed) free_link(link);
    else send_response(link, &loop->head, &loop->body);
}

static void handle_results(struct loop *loop, struct pipeline *pipeline) {
    if (!PQconsumeInput(pipeline->connection)) fail("reading results", PQerrorMessage(pipeline->connection));
    flush(loop, pipeline);
    while (pipeline->syncs && !PQisBusy(pipeline->connection)) {
        PGresult *result = PQgetResult(pipeline->connection);
        if (!result) continue;
        if (PQresultStatus(result) == PGRES_PIPELINE_SYNC) pipeline->syncs--;
        else complete_first(loop, pipeline, result);
        PQclear(result);
    }
}

// --- nginx

// If nginx closes a connection that waits for a response, the connection is freed when the response is available.
static void handle_request(struct loop *loop, struct link *link) {
    struct request request = {0};
    if (read_request(link, &request)) {
        read_query(&loop->query, request);
        bool is_write = loop->query.operation == CREATE;
        enqueue(loop, is_write ? &loop->writers[loop->turn++ % WRITERS] : &loop->reads, link);
    } else if (link->is_closed) {
        watch(loop, EPOLL_CTL_DEL, link->socket, 0, NULL);
        if (!link->is_waiting) free_link(link);
    }
}

static bool is_pipeline(struct loop *loop, void *source) {
    return source == &loop->reads || (source >= (void *)loop->writers && source < (void *)(loop->writers + WRITERS));
}

static void handle_event(struct loop *loop, void *source) {
    if (is_pipeline(loop, source)) {
        handle_results(loop, source);
    } else if (source) {
        handle_request(loop, source);
    } else {
        struct link *link = accept_link(options.listener);
        if (link) watch(loop, EPOLL_CTL_ADD, link->socket, EPOLLIN, link);
    }
}

void *run_loop(void *unused) {
    struct loop *loop = calloc(1, sizeof *loop);
    struct epoll_event events[EVENTS];
    loop->poller = epoll_create1(EPOLL_CLOEXEC);
    open_pipeline(loop, &loop->reads, options.shares_sync);
    for (int index = 0; index < WRITERS; index++) open_pipeline(loop, &loop->writers[index], false);
    watch(loop, EPOLL_CTL_ADD, options.listener, EPOLLIN | EPOLLEXCLUSIVE, NULL);
    for (;;) {
        int count = epoll_wait(loop->poller, events, EVENTS, -1);
        for (int index = 0; index < count; index++) handle_event(loop, events[index].data.ptr);
        if (loop->reads.is_unsynced) sync_pipeline(loop, &loop->reads);
    }
    return unused;
}
