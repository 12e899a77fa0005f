/*
 * Linux: start-up, clock, threads, pidfds. The one thing to know: the environment is read once,
 * when the addon is first loaded, because later JavaScript may be changing it on another thread.
 */
#include "linux-internal.h"
#include "platform.h"

#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

_Static_assert(sizeof(void *) == 8, "a session is mapped whole: 64-bit address space needed");

/* Same number on every architecture (it came after the syscall tables were unified, in 5.3). */
#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif

/* A native thread here runs a handful of frames; 128 KiB leaves room for any libc's TLS. */
static const size_t STACK_BYTES = 128 * 1024;

static pthread_once_t once = PTHREAD_ONCE_INIT;
static bool pidfd_refused;

static void read_environment(void) {
  const char *value = getenv("MP_NO_PIDFD");
  pidfd_refused = value != NULL && strcmp(value, "1") == 0;
}

const char *mp_platform_init(void) {
  (void)pthread_once(&once, read_environment);
  return NULL;
}

int mp_thread_start(pthread_t *thread, void *(*run)(void *), void *argument) {
  pthread_attr_t attributes;
  int error = pthread_attr_init(&attributes);
  if (error != 0) return -error;
  /* EINVAL where the minimum is larger (arm64 with 64 KiB pages): the default then does. */
  (void)pthread_attr_setstacksize(&attributes, STACK_BYTES);

  /* Signals belong to Node's main thread; a thread inherits the mask of its creator. */
  sigset_t all, previous;
  (void)sigfillset(&all);
  error = pthread_sigmask(SIG_SETMASK, &all, &previous);
  if (error != 0) goto cleanup;
  error = pthread_create(thread, &attributes, run, argument);
  /* SAFETY: restoring a mask that the same call has just returned cannot fail. */
  (void)pthread_sigmask(SIG_SETMASK, &previous, NULL);
cleanup:
  (void)pthread_attr_destroy(&attributes);
  return -error;
}

int mp_pidfd_open(int pid) {
  if (pidfd_refused) return -ENOSYS;
  long fd = syscall(SYS_pidfd_open, pid, 0); /* pidfds are close-on-exec from birth */
  return fd < 0 ? -errno : (int)fd;
}

int mp_pidfd_impossible(int error) {
  return error == -ENOSYS || error == -EPERM || error == -EACCES;
}

struct timespec mp_deadline(double ms) {
  struct timespec at;
  (void)clock_gettime(CLOCK_MONOTONIC, &at); /* SAFETY: cannot fail for this clock */
  double seconds = ms / 1000.0;
  time_t whole = (time_t)seconds;
  at.tv_sec += whole;
  at.tv_nsec += (long)((seconds - (double)whole) * 1e9);
  if (at.tv_nsec >= 1000000000L) {
    at.tv_sec += 1;
    at.tv_nsec -= 1000000000L;
  }
  return at;
}

double mp_now(void) {
  struct timespec now;
  (void)clock_gettime(CLOCK_MONOTONIC, &now); /* SAFETY: cannot fail for this clock */
  return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

int mp_pid(void) {
  return (int)getpid();
}

void *mp_symbol(const char *name) {
  return dlsym(RTLD_DEFAULT, name);
}
