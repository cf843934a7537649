// One event loop a thread: requests share pipelined connections to Postgres, and no thread waits for one of them.
#include "fastcgi.h"
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

// As many connections for changes as a worker of the API has: a commit waits for the earlier ones of its own connection.
enum { QUEUE = 1024, EVENTS = 128, CHANGES = 8 };

// A connection to Postgres in pipeline mode, and who waits for its answers, in their order.
struct pipeline {
    PGconn *connection;
    struct {
        struct link *link;
        enum question question;
    } waiting[QUEUE];
    unsigned first, last, syncs;
    bool shares_sync, is_unsynced, waits_for_room;
};

struct loop {
    int poller;
    struct pipeline reads, changes[CHANGES];
    unsigned turn;
    struct text head, body;
    struct query query;
};

// --- Postgres

static void watch(struct loop *loop, int operation, int descriptor, uint32_t events, void *who) {
    epoll_ctl(loop->poller, operation, descriptor, &(struct epoll_event){.events = events, .data.ptr = who});
}

static void open_pipeline(struct loop *loop, struct pipeline *pipeline, bool shares_sync) {
    pipeline->connection = connect_database(options.conninfo);
    pipeline->shares_sync = shares_sync;
    PQsetnonblocking(pipeline->connection, 1);
    PQenterPipelineMode(pipeline->connection);
    watch(loop, EPOLL_CTL_ADD, PQsocket(pipeline->connection), EPOLLIN, pipeline);
}

// Sends what can be sent, and has the loop wait for room when not all can.
static void flush(struct loop *loop, struct pipeline *pipeline) {
    bool waits = PQflush(pipeline->connection) == 1;
    if (waits == pipeline->waits_for_room) return;
    pipeline->waits_for_room = waits;
    watch(loop, EPOLL_CTL_MOD, PQsocket(pipeline->connection), waits ? EPOLLIN | EPOLLOUT : EPOLLIN, pipeline);
}

// A sync ends an implicit transaction: a statement with one of its own is committed alone.
static void sync_pipeline(struct loop *loop, struct pipeline *pipeline) {
    if (!PQpipelineSync(pipeline->connection)) fail("syncing", PQerrorMessage(pipeline->connection));
    pipeline->syncs++;
    pipeline->is_unsynced = false;
    flush(loop, pipeline);
}

static void ask(struct loop *loop, struct pipeline *pipeline, struct link *link) {
    if (pipeline->last - pipeline->first == QUEUE) fail("asking", "too many requests wait");
    if (!send_query(pipeline->connection, &loop->query)) fail("asking", PQerrorMessage(pipeline->connection));
    link->is_waiting = true;
    pipeline->waiting[pipeline->last % QUEUE].link = link;
    pipeline->waiting[pipeline->last++ % QUEUE].question = loop->query.question;
    pipeline->is_unsynced = true;
    if (!pipeline->shares_sync) sync_pipeline(loop, pipeline);
}

static void answer_first(struct loop *loop, struct pipeline *pipeline, PGresult *result) {
    struct link *link = pipeline->waiting[pipeline->first % QUEUE].link;
    write_answer(pipeline->waiting[pipeline->first++ % QUEUE].question, result, &loop->head, &loop->body);
    link->is_waiting = false;
    if (link->is_closed) free_link(link);
    else send_answer(link, &loop->head, &loop->body);
}

static void take_results(struct loop *loop, struct pipeline *pipeline) {
    if (!PQconsumeInput(pipeline->connection)) fail("reading", PQerrorMessage(pipeline->connection));
    flush(loop, pipeline);
    while (pipeline->syncs && !PQisBusy(pipeline->connection)) {
        PGresult *result = PQgetResult(pipeline->connection);
        if (!result) continue;
        if (PQresultStatus(result) == PGRES_PIPELINE_SYNC) pipeline->syncs--;
        else answer_first(loop, pipeline, result);
        PQclear(result);
    }
}

// --- nginx

// A connection that nginx closes while it waits for an answer is freed with that answer.
static void take_request(struct loop *loop, struct link *link) {
    struct request request = {0};
    if (read_request(link, &request)) {
        read_query(&loop->query, request);
        bool is_change = loop->query.question == CREATE;
        ask(loop, is_change ? &loop->changes[loop->turn++ % CHANGES] : &loop->reads, link);
    } else if (link->is_closed) {
        watch(loop, EPOLL_CTL_DEL, link->socket, 0, NULL);
        if (!link->is_waiting) free_link(link);
    }
}

static bool is_pipeline(struct loop *loop, void *who) {
    return who == &loop->reads || (who >= (void *)loop->changes && who < (void *)(loop->changes + CHANGES));
}

static void take_event(struct loop *loop, void *who) {
    if (is_pipeline(loop, who)) {
        take_results(loop, who);
    } else if (who) {
        take_request(loop, who);
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
    for (int place = 0; place < CHANGES; place++) open_pipeline(loop, &loop->changes[place], false);
    watch(loop, EPOLL_CTL_ADD, options.listener, EPOLLIN | EPOLLEXCLUSIVE, NULL);
    for (;;) {
        int count = epoll_wait(loop->poller, events, EVENTS, -1);
        for (int place = 0; place < count; place++) take_event(loop, events[place].data.ptr);
        if (loop->reads.is_unsynced) sync_pipeline(loop, &loop->reads);
    }
    return unused;
}
