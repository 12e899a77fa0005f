/*
 * Linux: waits for a child without reaping it. The one thing to know: WNOWAIT leaves the zombie to
 * libuv, which would otherwise lose the child's 'exit' event.
 */
#include "linux-internal.h"
#include "platform.h"

#include <errno.h>
#include <poll.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

/* Returns 1 and fills `out`, 0 when the child still runs, or -ECHILD. */
static int peek(int pid, struct mp_exit *out) {
  siginfo_t info = {.si_pid = 0};
  if (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) < 0) return -errno;
  if (info.si_pid == 0) return 0;
  bool exited = info.si_code == CLD_EXITED;
  *out = (struct mp_exit){
    .code = exited ? info.si_status : -1, .signal = exited ? -1 : info.si_status};
  return 1;
}

/* Where pidfds are impossible: looks often at first, since most children end soon. */
static int peek_in_steps(int pid, double timeout_ms, struct mp_exit *out) {
  double until = mp_now() + timeout_ms;
  double step_ms = 1;
  for (;;) {
    int result = peek(pid, out);
    double left = until - mp_now();
    if (result != 0 || left <= 0) return result;
    double sleep_ms = left < step_ms ? left : step_ms;
    const struct timespec pause = {.tv_nsec = (long)(sleep_ms * 1e6)};
    if (nanosleep(&pause, NULL) < 0) return peek(pid, out); /* a signal: JavaScript wants to know */
    if (step_ms < 5) step_ms += 1;
  }
}

int mp_wait_exit(int pid, double timeout_ms, struct mp_exit *out) {
  int result = peek(pid, out);
  if (result != 0 || timeout_ms <= 0) return result;

  int pidfd = mp_pidfd_open(pid);
  if (pidfd == -ESRCH) return peek(pid, out);
  if (pidfd < 0) return peek_in_steps(pid, timeout_ms, out);
  struct pollfd readable = {.fd = pidfd, .events = POLLIN};
  struct timespec timeout = {.tv_sec = (time_t)(timeout_ms / 1000)};
  timeout.tv_nsec = (long)((timeout_ms - (double)timeout.tv_sec * 1000) * 1e6);
  result = ppoll(&readable, 1, &timeout, NULL) < 0 && errno != EINTR ? -errno : peek(pid, out);
  (void)close(pidfd);
  return result;
}
