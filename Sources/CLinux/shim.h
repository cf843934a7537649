// What Swift's Glibc module leaves out of Linux.
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <fcntl.h>
#include <malloc.h>
#include <unistd.h>

// These are GNU extensions; the macro that reveals them would change types that Glibc's module has already seen.
int accept4(int descriptor, struct sockaddr *address, socklen_t *length, int flags);
int pipe2(int descriptors[2], int flags);
int memfd_create(const char *name, unsigned int flags);
#define MFD_CLOEXEC 1U

// Swift calls no function of a variable number of arguments. The signal that this process gets when its parent ends (prctl(2)).
static inline int dup_above(int descriptor, int least) { return fcntl(descriptor, F_DUPFD_CLOEXEC, least); }
static inline int signal_thread(int process, int thread, int number) {
    return (int)syscall(SYS_tgkill, process, thread, number);
}
static inline int thread_id(void) { return (int)syscall(SYS_gettid); }
static inline int set_parent_death_signal(int signal) { return prctl(PR_SET_PDEATHSIG, signal); }

extern char **environ;

// A function, because Swift refuses to read a global variable of C's that any thread might change.
static inline char **process_environment(void) { return environ; }

#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <linux/rtnetlink.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>

// A question about one Unix socket's queue (sock_diag(7)).
struct unix_queue_question {
    struct nlmsghdr header;
    struct unix_diag_req request;
};

static inline struct unix_queue_question unix_queue_question(uint32_t inode) {
    struct unix_queue_question question = {
        .header = {.nlmsg_len = sizeof question, .nlmsg_type = SOCK_DIAG_BY_FAMILY, .nlmsg_flags = NLM_F_REQUEST},
        .request = {.sdiag_family = AF_UNIX, .udiag_states = ~0U, .udiag_ino = inode, .udiag_show = UDIAG_SHOW_RQLEN,
                    .udiag_cookie = {~0U, ~0U}}};
    return question;
}

// The queue in the answer; 0 when it is not there.
static inline int unix_queue_answer(const void *bytes, int count, struct unix_diag_rqlen *queue) {
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

// Crashes are told to one descriptor, and standard error becomes another one, before the handlers that were there (the Swift
// runtime's, which prints a backtrace) have their turn: that may take seconds. In C, because a signal handler may only call what is safe for that (signal-safety(7)).
static inline struct sigaction *former_handler(int number) {
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
    struct sigaction *next = former_handler(number);
    if (next->sa_flags & SA_SIGINFO && next->sa_sigaction) next->sa_sigaction(number, info, context);
    // Ends the process as if there had been no handler, when this one returns.
    signal(number, SIG_DFL);
    raise(number);
}

static inline void tell_crashes(int descriptor, int output) {
    static const int signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT};
    crash_descriptors()[0] = descriptor;
    crash_descriptors()[1] = output;
    struct sigaction action = {.sa_sigaction = crash_handler, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    for (unsigned index = 0; index < sizeof signals / sizeof signals[0]; index++)
        sigaction(signals[index], &action, former_handler(signals[index]));
}
