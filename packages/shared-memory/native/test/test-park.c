/* Sleeping on a word: every way in which a sleep ends, and no other. */
#include "harness.h"

#include <pthread.h>
#include <sys/syscall.h>

/* A thread that parks once. */
struct sleeper {
  uint32_t *word;
  uint32_t mask;
  double timeout_ms;
  int result;
  uint32_t tid;
  pthread_t thread;
};

static void *sleep_once(void *argument) {
  struct sleeper *sleeper = argument;
  put(&sleeper->tid, (uint32_t)syscall(SYS_gettid));
  sleeper->result = mp_park(sleeper->word, 0, sleeper->mask, sleeper->timeout_ms);
  return NULL;
}

static void fall_asleep(struct sleeper *sleeper) {
  CHECK(pthread_create(&sleeper->thread, NULL, sleep_once, sleeper) == 0);
  AWAIT(get(&sleeper->tid) != 0);
  await_asleep(getpid(), (pid_t)get(&sleeper->tid), sleeper->word);
}

static int wake_up(struct sleeper *sleeper) {
  CHECK(pthread_join(sleeper->thread, NULL) == 0);
  return sleeper->result;
}

static void a_word_that_changed_is_not_slept_on(void) {
  uint32_t *words = make_session(1);
  CHECK(mp_park(words + 9, 1, MP_MASK_SYNC, 10000) == MP_PARK_CHANGED);
  CHECK(mp_park(words + 9, 1, MP_MASK_SYNC, -1) == MP_PARK_CHANGED);
}

static void a_sleep_times_out_on_time(void) {
  uint32_t *words = make_session(1);
  double before = mp_now();
  CHECK(mp_park(words + 9, 0, MP_MASK_SYNC, 30.5) == MP_PARK_TIMED_OUT);
  double took = mp_now() - before;
  CHECK(took >= 30.5 && took < 5000);
  CHECK(mp_park(words + 9, 0, MP_MASK_SYNC, 0) == MP_PARK_TIMED_OUT);
  CHECK(mp_park(words + 9, 0, MP_MASK_SYNC, 999.9999999) == MP_PARK_TIMED_OUT);
}

static void a_wake_reaches_only_sleepers_of_its_mask(void) {
  uint32_t *words = make_session(1);
  struct sleeper sync = {.word = words + 9, .mask = MP_MASK_SYNC, .timeout_ms = -1};
  struct sleeper waiter = {.word = words + 9, .mask = MP_MASK_WAITER, .timeout_ms = -1};
  fall_asleep(&sync);
  CHECK(mp_wake(words + 9, MP_MASK_WAITER) == 0);
  fall_asleep(&waiter);
  CHECK(mp_wake(words + 9, 4) == 0);
  CHECK(mp_wake(words + 10, MP_MASK_ALL) == 0);
  CHECK(mp_wake(words + 9, MP_MASK_WAITER) == 1);
  CHECK(wake_up(&waiter) == MP_PARK_WOKEN);
  CHECK(mp_wake(words + 9, MP_MASK_SYNC) == 1);
  CHECK(wake_up(&sync) == MP_PARK_WOKEN);
}

static void a_wake_reaches_every_sleeper(void) {
  uint32_t *words = make_session(1);
  struct sleeper sleepers[5];
  for (int i = 0; i < 5; i++) {
    uint32_t mask = i % 2 == 0 ? MP_MASK_SYNC : MP_MASK_WAITER;
    sleepers[i] = (struct sleeper){.word = words + 9, .mask = mask, .timeout_ms = -1};
    fall_asleep(&sleepers[i]);
  }
  CHECK(mp_wake(words + 9, MP_MASK_ALL) == 5);
  for (int i = 0; i < 5; i++) CHECK(wake_up(&sleepers[i]) == MP_PARK_WOKEN);
}

static void park_in_child(void *argument) {
  /* Its own mapping, at another address, as a process that was not forked has it. */
  struct mp_segment segment;
  const char *step;
  CHECK(mp_segment_attach_sibling(getppid(), *(const int *)argument, &segment, &step) == 0);
  uint32_t *word = (uint32_t *)(void *)segment.base + 9;
  put(word + 1, (uint32_t)((uintptr_t)word & UINT32_MAX));
  put(word + 2, (uint32_t)((uint64_t)(uintptr_t)word >> 32));
  CHECK(mp_park(word, 0, MP_MASK_SYNC, -1) == MP_PARK_WOKEN);
}

static void a_wake_reaches_another_process(void) {
  uint32_t *words = make_session(1);
  int fd = mp_session()->fd;
  pid_t pid = start(park_in_child, &fd);
  AWAIT(get(words + 11) != 0);
  uintptr_t address = (uintptr_t)get(words + 11) << 32 | get(words + 10);
  await_asleep(pid, pid, (const uint32_t *)address);
  CHECK(mp_wake(words + 9, MP_MASK_SYNC) == 1);
  CHECK(reap(pid) == 0);
}

static void ignore_signal(int number) {
  (void)number;
}

static void a_signal_interrupts_a_timed_sleep(void) {
  uint32_t *words = make_session(1);
  /* As libuv installs its handlers. */
  const struct sigaction action = {.sa_handler = ignore_signal, .sa_flags = SA_RESTART};
  CHECK(sigaction(SIGUSR1, &action, NULL) == 0);
  struct sleeper sleeper = {.word = words + 9, .mask = MP_MASK_SYNC, .timeout_ms = 20000};
  fall_asleep(&sleeper);
  CHECK(pthread_kill(sleeper.thread, SIGUSR1) == 0);
  CHECK(wake_up(&sleeper) == MP_PARK_INTERRUPTED);
}

/* Two processes that pass a word back and forth, each asleep while it is not its turn. */
static void play(uint32_t *word, uint32_t mine, uint32_t rounds) {
  for (uint32_t turn = mine; turn < 2 * rounds; turn += 2) {
    for (uint32_t seen = get(word); seen != turn; seen = get(word)) {
      CHECK(mp_park(word, seen, MP_MASK_SYNC, -1) >= 0);
    }
    put(word, turn + 1);
    CHECK(mp_wake(word, MP_MASK_SYNC) >= 0);
  }
}

static void play_second(void *argument) {
  play(argument, 1, 2000);
}

static void no_wake_is_lost_in_a_ping_pong(void) {
  uint32_t *words = make_session(1);
  pid_t pid = start(play_second, words + 9);
  play(words + 9, 0, 2000);
  CHECK(reap(pid) == 0 && get(words + 9) == 4000);
}

/* As above, awake: only spinning sees the other's turn. */
static void spin_play(uint32_t *word, uint32_t mine, uint32_t rounds) {
  for (uint32_t turn = mine; turn < 2 * rounds; turn += 2) {
    for (uint32_t seen = get(word); seen != turn; seen = get(word)) {
      CHECK(mp_spin(word, seen, 1) >= 0);
    }
    put(word, turn + 1);
  }
}

static void spin_second(void *argument) {
  spin_play(argument, 1, 200);
}

static void a_spin_ends_when_the_word_changes(void) {
  uint32_t *words = make_session(1);
  CHECK(mp_spin(words + 9, 1, 10000) == 1);
  CHECK(mp_spin(words + 9, 0, 1) == 0);
  pid_t pid = start(spin_second, words + 9);
  spin_play(words + 9, 0, 200);
  CHECK(reap(pid) == 0 && get(words + 9) == 400);
}

const struct test_case park_tests[] = {
  {"a word that changed is not slept on", a_word_that_changed_is_not_slept_on, false},
  {"a sleep times out on time", a_sleep_times_out_on_time, false},
  {"a wake reaches only sleepers of its mask", a_wake_reaches_only_sleepers_of_its_mask, false},
  {"a wake reaches every sleeper", a_wake_reaches_every_sleeper, false},
  {"a wake reaches another process", a_wake_reaches_another_process, false},
  {"a signal interrupts a timed sleep", a_signal_interrupts_a_timed_sleep, false},
  {"no wake is lost in a ping-pong", no_wake_is_lost_in_a_ping_pong, false},
  {"a spin ends when the word changes", a_spin_ends_when_the_word_changes, false},
  {0},
};
