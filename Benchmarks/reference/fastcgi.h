// FastCGI as nginx uses it on a keep-alive connection: one request at a time, with request id 1.
#pragma once
#include "reference.h"

// A connection from nginx, with the received part of its next request.
struct link {
    int socket;
    bool is_waiting, is_closed;
    struct text input, body;
};

struct link *accept_link(int listener);
void free_link(struct link *link);

// Reads what has arrived. Sets `is_closed` at the end of the stream. Returns whether a request is complete; its slices
// point into `link`.
bool read_request(struct link *link, struct request *request);

// Sends the response as records; blocks while nginx does not accept data.
void send_response(struct link *link, const struct text *head, const struct text *body);
