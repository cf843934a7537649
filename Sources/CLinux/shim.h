// What Swift's Glibc module leaves out of Linux.
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/socket.h>

// These two are GNU extensions; the macro that reveals them would change types that Glibc's module has already seen.
int accept4(int descriptor, struct sockaddr *address, socklen_t *length, int flags);
int memfd_create(const char *name, unsigned int flags);
#define MFD_CLOEXEC 1U

extern char **environ;

// A function, because Swift refuses to read a global variable of C's that any thread might change.
static inline char **process_environment(void) { return environ; }
