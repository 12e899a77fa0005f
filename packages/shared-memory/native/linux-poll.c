/*
 * Linux: waits for a descriptor that is not ours, such as a socket of Node's. The one thing to
 * know: it neither reads nor writes; whoever asked does that, and may find that nothing is there.
 */
#include "platform.h"

#include <errno.h>
#include <poll.h>
#include <time.h>

int mp_poll(int fd, uint32_t interest, double timeout_ms) {
  struct pollfd polled = {.fd = fd};
  if ((interest & MP_POLL_READABLE) != 0) polled.events |= POLLIN;
  if ((interest & MP_POLL_WRITABLE) != 0) polled.events |= POLLOUT;
  if ((interest & MP_POLL_HUNG_UP) != 0) polled.events |= POLLRDHUP;
  struct timespec timeout = {.tv_sec = (time_t)(timeout_ms / 1000)};
  timeout.tv_nsec = (long)((timeout_ms - (double)timeout.tv_sec * 1000) * 1e6);
  int count = ppoll(&polled, 1, &timeout, NULL);
  /* A signal: JavaScript wants to know. */
  if (count < 0) return errno == EINTR ? 0 : -errno;
  if ((polled.revents & POLLNVAL) != 0) return -EBADF;
  int ready = 0;
  if ((polled.revents & POLLIN) != 0) ready |= MP_POLL_READABLE;
  if ((polled.revents & POLLOUT) != 0) ready |= MP_POLL_WRITABLE;
  if ((polled.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0) ready |= MP_POLL_HUNG_UP;
  return ready;
}
