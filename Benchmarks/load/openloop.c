// openloop PORT RATE SECONDS CONNECTIONS FILE SEED: HTTP requests to 127.0.0.1 that arrive at random times, RATE a second on average,
// whether or not earlier ones were answered. A request's latency counts from when it was due: one that waits for a free connection,
// because the server is late with others, is late itself. One that has no answer by the end of the run, or an answer that is no success,
// is as late as that end. FILE has the requests, each behind a line with its length.
// It prints one line of JSON; latencies are in microseconds.
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { LARGEST = 1 << 20, GRACE = 2 };

struct request {
    const char *bytes;
    size_t count;
};

// A connection to the server: idle, or with one request under way, which was due at `due`.
struct connection {
    int socket;
    bool is_waiting;
    int64_t due;
    char *bytes;
    size_t count;
};

static struct request *requests;
static size_t request_count;
static struct connection *connections, **idle;
static int connection_count, idle_count, poller, port;
static int64_t *dues, *latencies, last;
static size_t due_count, arrived, sent, ended, failed, lost;

static _Noreturn void fail(const char *what) {
    fprintf(stderr, "openloop: %s\n", what);
    exit(1);
}

static int64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000000000LL + time.tv_nsec;
}

// --- Before the run

static void read_requests(const char *path) {
    FILE *file = fopen(path, "r");
    if (!file) fail("cannot read the requests");
    for (size_t count; fscanf(file, "%zu", &count) == 1;) {
        char *bytes = malloc(count);
        fgetc(file);
        if (fread(bytes, 1, count, file) != count) fail("a request is cut off");
        requests = realloc(requests, (request_count + 1) * sizeof *requests);
        requests[request_count++] = (struct request){bytes, count};
    }
    if (!request_count) fail("there are no requests");
}

// Times between requests are exponential: what many clients do that know nothing of each other.
static void plan(double rate, double seconds, long seed) {
    size_t capacity = rate * seconds * 2 + 1000;
    dues = calloc(capacity, sizeof *dues);
    latencies = calloc(capacity, sizeof *latencies);
    srand48(seed);
    for (double time = 0; due_count < capacity; due_count++) {
        time -= log(1 - drand48()) / rate;
        if (time > seconds) break;
        dues[due_count] = time * 1e9;
    }
}

static void open_connection(struct connection *connection) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    connection->socket = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(connection->socket, (struct sockaddr *)&address, sizeof address)) fail("cannot connect");
    setsockopt(connection->socket, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    fcntl(connection->socket, F_SETFL, O_NONBLOCK);
    epoll_ctl(poller, EPOLL_CTL_ADD, connection->socket, &(struct epoll_event){.events = EPOLLIN, .data.ptr = connection});
}

static void open_connections(int count) {
    connection_count = count;
    poller = epoll_create1(0);
    connections = calloc(count, sizeof *connections);
    idle = calloc(count, sizeof *idle);
    for (int place = 0; place < count; place++) {
        connections[place].bytes = malloc(LARGEST + 1);
        open_connection(&connections[place]);
        idle[idle_count++] = &connections[place];
    }
}

// --- Answers

// Whether the bytes that have arrived are a whole answer: with a length, in chunks, or without a body.
static bool is_whole(struct connection *connection) {
    connection->bytes[connection->count] = 0;
    char *end = strstr(connection->bytes, "\r\n\r\n");
    if (!end) return false;
    *end = 0;
    char *length = strcasestr(connection->bytes, "\r\nContent-Length:");
    bool is_chunked = strcasestr(connection->bytes, "\r\nTransfer-Encoding: chunked");
    *end = '\r';
    size_t body = connection->count - (end + 4 - connection->bytes);
    if (length) return body >= strtoul(length + 17, NULL, 10);
    return !is_chunked || (body >= 5 && !memcmp(connection->bytes + connection->count - 5, "0\r\n\r\n", 5));
}

// A request has its answer at `time`, or none by the end of the run.
static void end_request(int64_t due, int64_t time) { latencies[ended++] = time - due; }

static void release(struct connection *connection) {
    connection->count = 0;
    connection->is_waiting = false;
    idle[idle_count++] = connection;
}

static void take_answer(struct connection *connection) {
    bool is_success = connection->count > 9 && connection->bytes[9] == '2';
    failed += !is_success;
    end_request(connection->due, is_success ? now() : last);
    release(connection);
}

static void lose(int64_t due) {
    lost++;
    end_request(due, last);
}

// A server may close an idle connection; with one that has a request, the request is lost.
static void reopen(struct connection *connection) {
    close(connection->socket);
    open_connection(connection);
    if (!connection->is_waiting) return;
    lose(connection->due);
    release(connection);
}

static void receive(struct connection *connection) {
    for (;;) {
        ssize_t count = read(connection->socket, connection->bytes + connection->count, LARGEST - connection->count);
        if (count < 0 && errno == EAGAIN) return;
        if (count <= 0) {
            reopen(connection);
            return;
        }
        connection->count += count;
        if (is_whole(connection)) {
            take_answer(connection);
            return;
        }
    }
}

// --- The run

static void send_due(int64_t start) {
    int64_t time = now() - start;
    while (arrived < due_count && dues[arrived] <= time) arrived++;
    while (sent < arrived && idle_count) {
        struct connection *connection = idle[--idle_count];
        struct request *request = &requests[(size_t)(drand48() * request_count)];
        connection->due = start + dues[sent++];
        connection->is_waiting = true;
        if (write(connection->socket, request->bytes, request->count) != (ssize_t)request->count) reopen(connection);
    }
}

static void wait_until(int64_t time) {
    struct epoll_event events[64];
    int64_t left = time - now();
    if (left < 0) left = 0;
    struct timespec timeout = {left / 1000000000, left % 1000000000};
    int count = epoll_pwait2(poller, events, 64, &timeout, NULL);
    for (int place = 0; place < count; place++) receive(events[place].data.ptr);
}

static void lose_rest(int64_t start) {
    for (int place = 0; place < connection_count; place++)
        if (connections[place].is_waiting) lose(connections[place].due);
    while (sent < due_count) lose(start + dues[sent++]);
}

static void run(double seconds) {
    int64_t start = now();
    last = start + (seconds + GRACE) * 1e9;
    while (ended < due_count && now() < last) {
        send_due(start);
        wait_until(arrived < due_count ? start + dues[arrived] : last);
    }
    lose_rest(start);
}

static int compare(const void *one, const void *other) {
    int64_t left = *(const int64_t *)one, right = *(const int64_t *)other;
    return (left > right) - (left < right);
}

static double percentile(double part) { return ended ? latencies[(size_t)(part * (ended - 1))] / 1e3 : 0; }

int main(int count, char **words) {
    if (count != 7) fail("say PORT RATE SECONDS CONNECTIONS FILE SEED");
    prctl(PR_SET_TIMERSLACK, 1);
    port = atoi(words[1]);
    double rate = atof(words[2]), seconds = atof(words[3]);
    read_requests(words[5]);
    plan(rate, seconds, atol(words[6]));
    open_connections(atoi(words[4]));
    run(seconds);
    qsort(latencies, ended, sizeof *latencies, compare);
    printf("{\"due\":%zu,\"failed\":%zu,\"lost\":%zu,\"p50\":%.1f,\"p90\":%.1f,\"p99\":%.1f}\n",
           due_count, failed, lost, percentile(0.5), percentile(0.9), percentile(0.99));
}
