// Usage: reference MODE SOCKET CONNINFO THREADS
//
// The reference that the API is compared with: the same responses from the same statements.
//   onesync     event loops; the reads of a loop iteration share one sync, like the API's
//   pipelined   event loops; each statement has its own sync
//   documented  threads, each of which blocks in libfcgi for a request and in libpq for its rows
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
    if (*run == run_loop && !options.shares_sync && strcmp(mode, "pipelined")) fail(mode, "expected onesync, pipelined or documented");
    // Nonblocking, so that no loop blocks in accept because another one has accepted the connection.
    if (*run == run_loop) fcntl(options.listener, F_SETFL, O_NONBLOCK);
}

int main(int count, char **arguments) {
    if (count != 5) fail("usage", "reference MODE SOCKET CONNINFO THREADS");
    signal(SIGPIPE, SIG_IGN);
    FCGX_Init();
    options.conninfo = arguments[3];
    options.listener = FCGX_OpenSocket(arguments[2], 1024);
    if (options.listener < 0) fail(arguments[2], "cannot listen");
    void *(*run)(void *);
    use_mode(arguments[1], &run);
    for (int started = 0; started < atoi(arguments[4]); started++) {
        pthread_t thread;
        pthread_create(&thread, NULL, run, NULL);
    }
    pause();
}
