/*
 * A small test harness. The one thing to know: every test runs in a process of its own, with a
 * deadline, because the code under test has one session and one watch thread per process.
 */
#ifndef MP_TEST_HARNESS_H
#define MP_TEST_HARNESS_H

#include "../platform.h"
#include "../session.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/types.h>
#include <unistd.h>

struct test_case {
  const char *title;
  void (*run)(void);
  bool without_pidfds; /* runs as on a system that has none */
};

/* One table for each file of tests; the last entry has no title. */
extern const struct test_case segment_tests[];
extern const struct test_case park_tests[];
extern const struct test_case waiter_tests[];
extern const struct test_case liveness_tests[];
extern const struct test_case agent_tests[];
extern const struct test_case watch_tests[];
extern const struct test_case parent_tests[];
extern const struct test_case exit_tests[];
extern const struct test_case poll_tests[];
extern const struct test_case named_tests[];

/* Ends the test (or its child) as failed unless the condition holds. */
#define CHECK(condition)                                                        \
  do {                                                                          \
    if (!(condition)) {                                                         \
      (void)fprintf(stderr, "    %s:%d: %s\n", __FILE__, __LINE__, #condition); \
      _exit(1);                                                                 \
    }                                                                           \
  } while (0)

/* Looks again until the condition holds; the test's deadline ends it otherwise. */
#define AWAIT(condition) \
  while (!(condition)) pause_briefly()

void pause_briefly(void);

/* Ends the test as left out under an emulator of another machine (MP_TEST_EMULATED), which has not all of a kernel. */
void needs_real_kernel(void);

/* Makes orphaned grandchildren ours to reap. */
void become_subreaper(void);

/* Runs `body` in a child that dies with this process; returns its pid. `body` may return. */
pid_t start(void (*body)(void *), void *argument);

/* Reaps a child: its exit code, or minus its signal. */
int reap(pid_t pid);

/* Kills and reaps a child. */
void kill_and_reap(pid_t pid);

/* Waits until a child has ended and is a zombie. */
void await_zombie(pid_t pid);

/* Waits until the thread sleeps in a futex call on this word. */
void await_asleep(pid_t pid, pid_t tid, const uint32_t *word);

/* How many descriptors this process has open. */
int count_fds(void);

/* For children: sleeps until killed. */
_Noreturn void sleep_forever(void);

/* A session of this process with a layout of `slots` slots, and its words. */
uint32_t *make_session(uint32_t slots);

/* The layout that make_session() sets. */
enum {
  T_DEATHS = 7,
  T_READY = 8, /* for the tests' own use, as are the words up to 63 */
  T_SLOTS = 64,
  T_SLOT_WORDS = 64,
  T_STATE = 0,
  T_PID = 1,
  T_BELL = 16,
  T_PARKED = 17,
  T_LIVE = 2,
  T_GONE = 4,
};

/* Index of a slot's word. */
uint32_t slot_at(uint32_t slot, uint32_t word);

static inline uint32_t get(const uint32_t *word) {
  return __atomic_load_n(word, __ATOMIC_SEQ_CST);
}

static inline void put(uint32_t *word, uint32_t value) {
  __atomic_store_n(word, value, __ATOMIC_SEQ_CST);
}

static inline uint32_t add(uint32_t *word, uint32_t value) {
  return __atomic_add_fetch(word, value, __ATOMIC_SEQ_CST);
}

#endif
