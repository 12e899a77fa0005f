/* Dying with the parent, however busy. */
#include "harness.h"

#include <sys/prctl.h>

enum { GRANDCHILD = 9, ALIVE = 10 };

/* The process that must not outlive its parent: it computes and never looks up. */
static void compute(bool use_signal, uint32_t *words) {
  struct mp_segment segment;
  const char *step;
  pid_t parent = getppid();
  CHECK(mp_segment_attach_sibling(parent, mp_session()->fd, &segment, &step) == 0);
  CHECK(mp_live_lock(&segment, 3) == 0);
  CHECK(mp_die_with_parent(parent, use_signal) == 0);
  CHECK(mp_die_with_parent(parent, use_signal) == 0); /* again is fine */
  put(words + GRANDCHILD, (uint32_t)getpid());
  for (;;) add(words + ALIVE, 1);
}

static void be_a_parent(bool use_signal, uint32_t *words) {
  pid_t pid = fork(); /* not start(): nothing else may end it */
  CHECK(pid >= 0);
  if (pid == 0) compute(use_signal, words);
  sleep_forever();
}

static void be_a_parent_without_signal(void *words) {
  be_a_parent(false, words);
}

static void be_a_parent_with_signal(void *words) {
  be_a_parent(true, words);
}

static void check_busy_child_dies(void (*parent)(void *)) {
  uint32_t *words = make_session(8);
  become_subreaper(); /* the orphan is ours to reap */
  pid_t pid = start(parent, words);
  AWAIT(get(words + GRANDCHILD) != 0);
  uint32_t before = get(words + ALIVE);
  AWAIT(get(words + ALIVE) != before);
  CHECK(mp_live_probe(mp_session(), 3) == 0);
  kill_and_reap(pid);
  AWAIT(mp_live_probe(mp_session(), 3) == 1);
  CHECK(reap((pid_t)get(words + GRANDCHILD)) == -SIGKILL);
}

static void a_busy_child_dies_with_its_parent(void) {
  check_busy_child_dies(be_a_parent_without_signal);
}

static void a_busy_child_dies_with_its_parent_by_signal(void) {
  check_busy_child_dies(be_a_parent_with_signal);
}

static void die_with(void *argument) {
  CHECK(mp_die_with_parent(*(const pid_t *)argument, false) == 0);
}

static void who_is_not_the_parent_kills_at_once(void) {
  pid_t parent = getpid();
  pid_t init = 1;
  CHECK(reap(start(die_with, &parent)) == 0);
  CHECK(reap(start(die_with, &init)) == -SIGKILL);
}

const struct test_case parent_tests[] = {
  {"a busy child dies with its parent", a_busy_child_dies_with_its_parent, false},
  {"a busy child dies with its parent by signal", a_busy_child_dies_with_its_parent_by_signal, false},
  {"a busy child dies with its parent (no pidfd)", a_busy_child_dies_with_its_parent, true},
  {"a child whose parent is another kills itself at once", who_is_not_the_parent_kills_at_once, false},
  {0},
};
