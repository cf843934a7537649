// What Swift's Glibc module leaves out of Linux.
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>

// These are GNU extensions; the macro that reveals them would change types that Glibc's module has already seen.
int accept4(int descriptor, struct sockaddr *address, socklen_t *length, int flags);
int pipe2(int descriptors[2], int flags);
int memfd_create(const char *name, unsigned int flags);
#define MFD_CLOEXEC 1U

// Swift calls no function of a variable number of arguments. The signal that this process gets when its parent ends (prctl(2)).
static inline int set_parent_death_signal(int signal) { return prctl(PR_SET_PDEATHSIG, signal); }

extern char **environ;

// A function, because Swift refuses to read a global variable of C's that any thread might change.
static inline char **process_environment(void) { return environ; }
