// Usage: openloop PORT RATE SECONDS CONNECTIONS FILE SEED
//
// An open-loop load generator: sends HTTP requests to 127.0.0.1 at random times (a Poisson process), RATE per second
// on average, whether or not earlier requests have been answered. The latency of a request is measured from the time
// at which it was due, so that waiting for a free connection, because the server is slow with others, counts (no
// coordinated omission). A request without a response by the end of the run, or with an error response, gets the
// latency up to that end. FILE contains the requests, each preceded by a line with its length. SEED initializes the
// random number generator.
//
// Prints one line of JSON; latencies are in microseconds.
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

enum { LARGEST_RESPONSE = 1 << 20, GRACE = 2 };

struct request {
    const char *bytes;
    size_t count;
};

// A connection to the server: idle, or with one request in flight, which was due at `due`.
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

// --- Preparation

static void read_requests(const char *path) {
    FILE *file = fopen(path, "r");
    if (!file) fail("cannot read the requests");
    for (size_t count; fscanf(file, "%zu", &count) == 1;) {
        char *bytes = malloc(count);
        fgetc(file);
        if (fread(bytes, 1, count, file) != count) fail("a request is truncated");
        requests = realloc(requests, (request_count + 1) * sizeof *requests);
        requests[request_count++] = (struct request){bytes, count};
    }
    if (!request_count) fail("there are no requests");
}

// Computes the times at which requests are due. The intervals are exponentially distributed, as with many independent
// clients.
static void schedule(double rate, double seconds, long seed) {
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
    for (int index = 0; index < count; index++) {
        connections[index].bytes = malloc(LARGEST_RESPONSE + 1);
        open_connection(&connections[index]);
        idle[idle_count++] = &connections[index];
    }
}

// --- Responses

// Whether a response has been received completely: one with a length, a chunked one, or one without a body.
static bool is_complete(struct connection *connection) {
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

// Records the end of a request, with its response at `time`, or without one at the end of the run.
static void end_request(int64_t due, int64_t time) { latencies[ended++] = time - due; }

// Makes a connection idle.
static void release(struct connection *connection) {
    connection->count = 0;
    connection->is_waiting = false;
    idle[idle_count++] = connection;
}

static void handle_response(struct connection *connection) {
    bool is_success = connection->count > 9 && connection->bytes[9] == '2';
    failed += !is_success;
    end_request(connection->due, is_success ? now() : last);
    release(connection);
}

// Records a request without a response.
static void record_lost(int64_t due) {
    lost++;
    end_request(due, last);
}

// Reopens a connection that the server has closed. If it had a request in flight, that request is lost.
static void reopen(struct connection *connection) {
    close(connection->socket);
    open_connection(connection);
    if (!connection->is_waiting) return;
    record_lost(connection->due);
    release(connection);
}

static void receive(struct connection *connection) {
    for (;;) {
        ssize_t count = read(connection->socket, connection->bytes + connection->count, LARGEST_RESPONSE - connection->count);
        if (count < 0 && errno == EAGAIN) return;
        if (count <= 0) {
            reopen(connection);
            return;
        }
        connection->count += count;
        if (is_complete(connection)) {
            handle_response(connection);
            return;
        }
    }
}

// --- The run

// Sends the requests that are due, as long as there are idle connections.
static void send_due_requests(int64_t start) {
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
    for (int index = 0; index < count; index++) receive(events[index].data.ptr);
}

// Records the requests that have no response at the end of the run.
static void fail_remaining(int64_t start) {
    for (int index = 0; index < connection_count; index++)
        if (connections[index].is_waiting) record_lost(connections[index].due);
    while (sent < due_count) record_lost(start + dues[sent++]);
}

static void run(double seconds) {
    int64_t start = now();
    last = start + (seconds + GRACE) * 1e9;
    while (ended < due_count && now() < last) {
        send_due_requests(start);
        wait_until(arrived < due_count ? start + dues[arrived] : last);
    }
    fail_remaining(start);
}

static int compare(const void *one, const void *other) {
    int64_t left = *(const int64_t *)one, right = *(const int64_t *)other;
    return (left > right) - (left < right);
}

static double percentile(double part) { return ended ? latencies[(size_t)(part * (ended - 1))] / 1e3 : 0; }

int main(int count, char **arguments) {
    if (count != 7) fail("usage: openloop PORT RATE SECONDS CONNECTIONS FILE SEED");
    prctl(PR_SET_TIMERSLACK, 1);
    port = atoi(arguments[1]);
    double rate = atof(arguments[2]), seconds = atof(arguments[3]);
    read_requests(arguments[5]);
    schedule(rate, seconds, atol(arguments[6]));
    open_connections(atoi(arguments[4]));
    run(seconds);
    qsort(latencies, ended, sizeof *latencies, compare);
    printf("{\"due\":%zu,\"failed\":%zu,\"lost\":%zu,\"p50\":%.1f,\"p90\":%.1f,\"p99\":%.1f}\n",
           due_count, failed, lost, percentile(0.5), percentile(0.9), percentile(0.99));
}
