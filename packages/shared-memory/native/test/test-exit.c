/* Waiting for a child without reaping it. */
#include "harness.h"

#include <pthread.h>

static void end_with_7(void *argument) {
  (void)argument;
  _exit(7);
}

static void just_sleep(void *argument) {
  (void)argument;
  sleep_forever();
}

/* Waits in slices, as JavaScript does. */
static struct mp_exit wait_for(pid_t pid) {
  struct mp_exit ended;
  int result;
  AWAIT((result = mp_wait_exit(pid, 100, &ended)) != 0);
  CHECK(result == 1);
  return ended;
}

static void it_tells_how_a_child_ended_and_does_not_reap_it(void) {
  pid_t pid = start(end_with_7, NULL);
  struct mp_exit ended = wait_for(pid);
  CHECK(ended.code == 7 && ended.signal == -1);
  ended = wait_for(pid); /* it is still there */
  CHECK(ended.code == 7 && ended.signal == -1);
  CHECK(reap(pid) == 7);

  pid = start(just_sleep, NULL);
  CHECK(kill(pid, SIGTERM) == 0);
  ended = wait_for(pid);
  CHECK(ended.code == -1 && ended.signal == SIGTERM);
  CHECK(reap(pid) == -SIGTERM);
}

static void it_gives_up_in_time_and_knows_only_children(void) {
  struct mp_exit ended;
  pid_t pid = start(just_sleep, NULL);
  double before = mp_now();
  CHECK(mp_wait_exit(pid, 0, &ended) == 0);
  CHECK(mp_wait_exit(pid, 20.25, &ended) == 0);
  CHECK(mp_now() - before >= 20.25);
  CHECK(kill(pid, SIGSTOP) == 0 && mp_wait_exit(pid, 1, &ended) == 0); /* stopped is not ended */
  kill_and_reap(pid);
  CHECK(mp_wait_exit(pid, 100, &ended) == -ECHILD);
  CHECK(mp_wait_exit(1, 100, &ended) == -ECHILD); /* alive, but not ours */
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

static void a_signal_ends_the_wait_early(void) {
  const struct sigaction action = {.sa_handler = ignore_signal, .sa_flags = SA_RESTART};
  CHECK(sigaction(SIGUSR1, &action, NULL) == 0);
  pid_t pid = start(just_sleep, NULL);
  pthread_t self = pthread_self();
  pthread_t thread;
  CHECK(pthread_create(&thread, NULL, interrupt, &self) == 0);
  struct mp_exit ended;
  /* Longer than the test's deadline. */
  CHECK(mp_wait_exit(pid, 60000, &ended) == 0);
  put(&done, 1);
  CHECK(pthread_join(thread, NULL) == 0);
  kill_and_reap(pid);
}

const struct test_case exit_tests[] = {
  {"waiting tells how a child ended and does not reap it",
   it_tells_how_a_child_ended_and_does_not_reap_it, false},
  {"waiting gives up in time and knows only children",
   it_gives_up_in_time_and_knows_only_children, false},
  {"a signal ends the wait for a child early", a_signal_ends_the_wait_early, false},
  {"waiting tells how a child ended and does not reap it (no pidfd)",
   it_tells_how_a_child_ended_and_does_not_reap_it, true},
  {"waiting gives up in time and knows only children (no pidfd)",
   it_gives_up_in_time_and_knows_only_children, true},
  {"a signal ends the wait for a child early (no pidfd)", a_signal_ends_the_wait_early, true},
  {0},
};
