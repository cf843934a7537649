// reference MODE SOCKET CONNINFO THREADS: what the API is measured against, for the same answers from the same statements.
//   onesync     event loops; the reads of a loop's turn share one sync, as the API's do
//   pipelined   event loops; each statement has a sync of its own
//   documented  threads that each wait for their request in libfcgi and for its rows in libpq
#include "reference.h"
#include <fcgiapp.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct options options;

static void use_mode(const char *mode, void *(**run)(void *)) {
    *run = !strcmp(mode, "documented") ? run_documented : run_loop;
    options.shares_sync = !strcmp(mode, "onesync");
    if (*run == run_loop && !options.shares_sync && strcmp(mode, "pipelined")) fail(mode, "say onesync, pipelined or documented");
    // The loops must not wait in accept for a connection that another loop has taken.
    if (*run == run_loop) fcntl(options.listener, F_SETFL, O_NONBLOCK);
}

int main(int count, char **words) {
    if (count != 5) fail("usage", "reference MODE SOCKET CONNINFO THREADS");
    signal(SIGPIPE, SIG_IGN);
    FCGX_Init();
    options.conninfo = words[3];
    options.listener = FCGX_OpenSocket(words[2], 1024);
    if (options.listener < 0) fail(words[2], "cannot listen");
    void *(*run)(void *);
    use_mode(words[1], &run);
    for (int started = 0; started < atoi(words[4]); started++) {
        pthread_t thread;
        pthread_create(&thread, NULL, run, NULL);
    }
    pause();
}
