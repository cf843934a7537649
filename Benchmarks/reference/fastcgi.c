// Reads and writes FastCGI records on one connection.
#include "fastcgi.h"
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

enum { END_REQUEST = 3, PARAMS = 4, STDIN = 5, STDOUT = 6, HEADER = 8, MAX_CONTENT = 65528 };

struct link *accept_link(int listener) {
    int socket = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (socket < 0) return NULL;
    struct link *link = calloc(1, sizeof *link);
    link->socket = socket;
    return link;
}

void free_link(struct link *link) {
    close(link->socket);
    free(link->input.bytes);
    free(link->body.bytes);
    free(link);
}

// --- Reading

// The length of a name or a value is encoded in one byte or, if the high bit is set, in four.
static size_t read_length(const unsigned char **next) {
    const unsigned char *bytes = *next;
    *next += bytes[0] < 0x80 ? 1 : 4;
    return bytes[0] < 0x80 ? bytes[0] : (size_t)(bytes[0] & 0x7f) << 24 | bytes[1] << 16 | bytes[2] << 8 | bytes[3];
}

static void read_parameters(const unsigned char *next, size_t count, struct request *request) {
    for (const unsigned char *end = next + count; next < end;) {
        size_t name = read_length(&next), value = read_length(&next);
        struct slice slice = {(const char *)next + name, value};
        if (name == 14 && !memcmp(next, "REQUEST_METHOD", 14)) request->method = slice;
        if (name == 11 && !memcmp(next, "REQUEST_URI", 11)) request->target = slice;
        next += name + value;
    }
}

// Parses the received records; returns whether the request is complete. nginx sends all parameters in one record.
static bool parse(struct link *link, struct request *request) {
    const unsigned char *bytes = (unsigned char *)link->input.bytes;
    link->body.count = 0;
    for (size_t offset = 0; offset + HEADER <= link->input.count;) {
        const unsigned char *record = bytes + offset;
        size_t count = record[4] << 8 | record[5], size = HEADER + count + record[6];
        if (offset + size > link->input.count) return false;
        if (record[1] == PARAMS) read_parameters(record + HEADER, count, request);
        if (record[1] == STDIN) append(&link->body, (const char *)record + HEADER, count);
        if (record[1] == STDIN && count == 0) return true;
        offset += size;
    }
    return false;
}

bool read_request(struct link *link, struct request *request) {
    reserve(&link->input, 4096);
    ssize_t count = read(link->socket, link->input.bytes + link->input.count, link->input.capacity - link->input.count);
    if (count == 0 || (count < 0 && errno != EAGAIN)) link->is_closed = true;
    if (count <= 0) return false;
    link->input.count += count;
    if (!parse(link, request)) return false;
    request->body = (struct slice){link->body.bytes, link->body.count};
    link->input.count = 0;
    return true;
}

// --- Writing

static void send_all(int socket, struct iovec *parts, int count) {
    while (count) {
        ssize_t sent = writev(socket, parts, count);
        if (sent < 0 && errno != EAGAIN && errno != EINTR) return;
        if (sent < 0) poll(&(struct pollfd){.fd = socket, .events = POLLOUT}, 1, -1);
        for (; sent > 0 && count && (size_t)sent >= parts->iov_len; parts++, count--) sent -= parts->iov_len;
        if (sent > 0) *parts = (struct iovec){(char *)parts->iov_base + sent, parts->iov_len - sent};
    }
}

static struct iovec header(unsigned char *bytes, int type, size_t count) {
    memcpy(bytes, (unsigned char[]){1, type, 0, 1, count >> 8, count, 0, 0}, HEADER);
    return (struct iovec){bytes, HEADER};
}

void send_response(struct link *link, const struct text *head, const struct text *body) {
    // An empty STDOUT record and an END_REQUEST record whose application status is zero.
    static const unsigned char end[24] = {1, STDOUT, 0, 1, 0, 0, 0, 0, 1, END_REQUEST, 0, 1, 0, 8};
    unsigned char headers[16][HEADER];
    struct iovec parts[34];
    int count = 0, records = 0;
    parts[count++] = header(headers[records++], STDOUT, head->count);
    parts[count++] = (struct iovec){head->bytes, head->count};
    for (size_t offset = 0, size; offset < body->count; offset += size) {
        size = body->count - offset < MAX_CONTENT ? body->count - offset : MAX_CONTENT;
        if (records == 16) {
            send_all(link->socket, parts, count);
            count = records = 0;
        }
        parts[count++] = header(headers[records++], STDOUT, size);
        parts[count++] = (struct iovec){body->bytes + offset, size};
    }
    parts[count++] = (struct iovec){(void *)end, sizeof end};
    send_all(link->socket, parts, count);
}
