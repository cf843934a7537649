// FastCGI as nginx speaks it over a kept connection: one request at a time, with the id 1.
#pragma once
#include "reference.h"

// A connection of nginx's, with what has arrived of its next request.
struct link {
    int socket;
    bool is_waiting, is_closed;
    struct text input, body;
};

struct link *accept_link(int listener);
void free_link(struct link *link);

// Reads what has arrived. It sets `is_closed` at the end, and returns whether a whole request is there; its slices point into `link`.
bool read_request(struct link *link, struct request *request);

// Sends the answer as records, and waits while nginx takes none.
void send_answer(struct link *link, const struct text *head, const struct text *body);
