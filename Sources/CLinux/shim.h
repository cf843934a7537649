// What Swift's Glibc module leaves out of Linux.
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
