/* Waiting for descriptors. */
#include "harness.h"

#include <errno.h>
#include <pthread.h>
#include <sys/socket.h>

static const uint32_t ALL = MP_POLL_READABLE | MP_POLL_WRITABLE | MP_POLL_HUNG_UP;

static void make_pair(int pair[2]) {
  CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) == 0);
}

static void it_tells_what_a_socket_is_ready_for(void) {
  int pair[2];
  make_pair(pair);
  CHECK(mp_poll(pair[0], ALL, 100) == MP_POLL_WRITABLE);
  CHECK(mp_poll(pair[0], MP_POLL_READABLE, 0) == 0);
  CHECK(write(pair[1], "x", 1) == 1);
  CHECK(mp_poll(pair[0], ALL, 100) == (MP_POLL_READABLE | MP_POLL_WRITABLE));
  CHECK(mp_poll(pair[0], MP_POLL_READABLE, 100) == MP_POLL_READABLE);
  static const char block[4096];
  while (write(pair[0], block, sizeof block) > 0) {
  }
  CHECK(errno == EAGAIN && mp_poll(pair[0], MP_POLL_WRITABLE, 0) == 0);
  CHECK(close(pair[1]) == 0);
  CHECK((mp_poll(pair[0], MP_POLL_HUNG_UP, 100) & MP_POLL_HUNG_UP) != 0);
  CHECK(close(pair[0]) == 0);
  CHECK(mp_poll(pair[0], ALL, 0) == -EBADF);
}

static void it_waits_as_long_as_told(void) {
  int pair[2];
  make_pair(pair);
  double before = mp_now();
  CHECK(mp_poll(pair[0], MP_POLL_READABLE, 20.25) == 0);
  CHECK(mp_now() - before >= 20.25);
  CHECK(close(pair[0]) == 0 && close(pair[1]) == 0);
}

static void ignore_signal(int number) {
  (void)number;
}

static uint32_t done;

static void *interrupt(void *argument) {
  while (get(&done) == 0) {
    CHECK(pthread_kill(*(const pthread_t *)argument, SIGUSR1) == 0);
    pause_briefly();
  }
  return NULL;
}

static void a_signal_ends_it(void) {
  const struct sigaction action = {.sa_handler = ignore_signal, .sa_flags = SA_RESTART};
  CHECK(sigaction(SIGUSR1, &action, NULL) == 0);
  int pair[2];
  make_pair(pair);
  pthread_t self = pthread_self();
  pthread_t thread;
  CHECK(pthread_create(&thread, NULL, interrupt, &self) == 0);
  /* Longer than the test's deadline. */
  CHECK(mp_poll(pair[0], MP_POLL_READABLE, 60000) == 0);
  put(&done, 1);
  CHECK(pthread_join(thread, NULL) == 0);
  CHECK(close(pair[0]) == 0 && close(pair[1]) == 0);
}

const struct test_case poll_tests[] = {
  {"polling tells what a socket is ready for", it_tells_what_a_socket_is_ready_for, false},
  {"polling waits as long as told", it_waits_as_long_as_told, false},
  {"a signal ends the wait for a descriptor early", a_signal_ends_it, false},
  {0},
};
