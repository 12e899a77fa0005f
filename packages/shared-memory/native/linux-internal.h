/*
 * What the Linux files share among themselves; nothing else includes this.
 */
#ifndef MP_LINUX_INTERNAL_H
#define MP_LINUX_INTERNAL_H

#include <pthread.h>
#include <time.h>

/* Starts a joinable thread with a small stack and every signal blocked. */
int mp_thread_start(pthread_t *thread, void *(*run)(void *), void *argument);

/* Starts the thread that hears of deaths (linux-watch.c) in advance. Returns 0 or -errno. */
int mp_watch_start(void);

/* Opens a close-on-exec pidfd; -ENOSYS also when MP_NO_PIDFD=1 was set at load. */
int mp_pidfd_open(int pid);

/* Whether this errno means that pidfds cannot be had here at all: old kernel, or a sandbox. */
int mp_pidfd_impossible(int error);

/* The monotonic moment `ms` from now; `ms` is finite and not negative. */
struct timespec mp_deadline(double ms);

#endif
