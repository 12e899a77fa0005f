/*
 * Systems, C libraries and processors for which linux-clone-*.c is not written. The one thing to know: what is
 * prepared says why it cannot be, and nothing else is called then.
 */
#include "platform.h"

#include <errno.h>
#include <stddef.h>

void mp_forkserver_begin(int parent) {
  (void)parent;
}

const char *mp_forkserver_prepare(int control) {
  (void)control;
  return "threads can be copied on Linux with glibc on x86-64 only, so far";
}

int mp_forkserver_serve(int control, int stock, const char *ready, size_t ready_length,
                        char text[MP_START_BYTES]) {
  (void)control, (void)stock, (void)ready, (void)ready_length, (void)text;
  return -ENOSYS;
}

void mp_forkserver_learn(void) {
}

void mp_forkserver_revive(void) {
}

int mp_forkserver_pair(bool is_stream, int out[2]) {
  (void)is_stream, (void)out;
  return -ENOSYS;
}

int mp_forkserver_close(int fd) {
  (void)fd;
  return -ENOSYS;
}

int mp_forkserver_ask(int socket, uint64_t pid_offset, const char *text, const int *fds,
                      uint32_t fd_count) {
  (void)socket, (void)pid_offset, (void)text, (void)fds, (void)fd_count;
  return -ENOSYS;
}

int mp_forkserver_stock(int control, uint64_t pid_offset, int session) {
  (void)control, (void)pid_offset, (void)session;
  return -ENOSYS;
}

int mp_quick_exit(int code) {
  (void)code;
  return -ENOSYS;
}

int mp_reap(int pid) {
  (void)pid;
  return -ENOSYS;
}
