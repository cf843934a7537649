// Linux declarations that Swift's Glibc module lacks.
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <fcntl.h>
#include <malloc.h>
#include <unistd.h>

// GNU extensions, declared here because defining _GNU_SOURCE would change types that Glibc's module has already
// imported.
int accept4(int descriptor, struct sockaddr *address, socklen_t *length, int flags);
int pipe2(int descriptors[2], int flags);
int memfd_create(const char *name, unsigned int flags);
#define MFD_CLOEXEC 1U

// Wrappers around variadic functions, which Swift cannot call.

// Duplicates a descriptor to the lowest free number that is not below `minimum` (F_DUPFD_CLOEXEC, fcntl(2)).
static inline int dup_above(int descriptor, int minimum) { return fcntl(descriptor, F_DUPFD_CLOEXEC, minimum); }

// Sends a signal to one thread of a process (tgkill(2)).
static inline int signal_thread(int process, int thread, int number) {
    return (int)syscall(SYS_tgkill, process, thread, number);
}

static inline int thread_id(void) { return (int)syscall(SYS_gettid); }

// Sets the signal that this process receives when its parent exits (PR_SET_PDEATHSIG, prctl(2)).
static inline int set_parent_death_signal(int signal) { return prctl(PR_SET_PDEATHSIG, signal); }

extern char **environ;

// A function, because Swift's concurrency checking rejects access to a mutable global variable of C.
static inline char **process_environment(void) { return environ; }

#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <linux/rtnetlink.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>

// A sock_diag(7) request for the accept queue of one Unix socket.
struct unix_queue_request {
    struct nlmsghdr header;
    struct unix_diag_req request;
};

static inline struct unix_queue_request unix_queue_request(uint32_t inode) {
    struct unix_queue_request message = {
        .header = {.nlmsg_len = sizeof message, .nlmsg_type = SOCK_DIAG_BY_FAMILY, .nlmsg_flags = NLM_F_REQUEST},
        .request = {.sdiag_family = AF_UNIX, .udiag_states = ~0U, .udiag_ino = inode, .udiag_show = UDIAG_SHOW_RQLEN,
                    .udiag_cookie = {~0U, ~0U}}};
    return message;
}

// Extracts the accept queue from a response. Returns 0 when the response does not contain it.
static inline int unix_queue_response(const void *bytes, int count, struct unix_diag_rqlen *queue) {
    const struct nlmsghdr *header = bytes;
    if (!NLMSG_OK(header, (unsigned)count) || header->nlmsg_type != SOCK_DIAG_BY_FAMILY) return 0;
    const struct rtattr *attribute = (const struct rtattr *)((const struct unix_diag_msg *)NLMSG_DATA(header) + 1);
    int left = (int)header->nlmsg_len - (int)NLMSG_LENGTH(sizeof(struct unix_diag_msg));
    for (; RTA_OK(attribute, left); attribute = RTA_NEXT(attribute, left))
        if (attribute->rta_type == UNIX_DIAG_RQLEN) {
            *queue = *(const struct unix_diag_rqlen *)RTA_DATA(attribute);
            return 1;
        }
    return 0;
}

// The crash handler first reports the crash with a byte to one descriptor and redirects standard error to another, then
// calls the handlers that were installed before (the Swift runtime's, which print a backtrace): those may take seconds.
// It is written in C because a signal handler may call only async-signal-safe functions (signal-safety(7)).
static inline struct sigaction *previous_handler(int number) {
    static struct sigaction handlers[32];
    return &handlers[number];
}
static inline int *crash_descriptors(void) {
    static int descriptors[2];
    return descriptors;
}

static void crash_handler(int number, siginfo_t *info, void *context) {
    ssize_t ignored = write(crash_descriptors()[0], "C", 1);
    (void)ignored;
    dup2(crash_descriptors()[1], 2);
    struct sigaction *next = previous_handler(number);
    if (next->sa_flags & SA_SIGINFO && next->sa_sigaction) next->sa_sigaction(number, info, context);
    // When the previous handler returns, the default action ends the process.
    signal(number, SIG_DFL);
    raise(number);
}

// Installs the crash handler: it reports crashes to `descriptor` and redirects standard error to `output`.
static inline void report_crashes(int descriptor, int output) {
    static const int signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT};
    crash_descriptors()[0] = descriptor;
    crash_descriptors()[1] = output;
    struct sigaction action = {.sa_sigaction = crash_handler, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    for (unsigned index = 0; index < sizeof signals / sizeof signals[0]; index++)
        sigaction(signals[index], &action, previous_handler(signals[index]));
}
