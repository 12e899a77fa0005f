/* The waiter thread: one call for each arming, none lost, and a stop that always ends. */
#include "harness.h"

#include <pthread.h>

static uint32_t calls;

static bool count_call(void *context) {
  (void)context;
  add(&calls, 1);
  return true;
}

/* What a ringer does in any process: agent.ts, ring(). */
static void ring(uint32_t *bell, const uint32_t *parked) {
  add(bell, 1);
  uint32_t mask = get(parked);
  if (mask != 0) CHECK(mp_wake(bell, mask) >= 0);
}

static void arm(uint32_t *parked) {
  (void)__atomic_or_fetch(parked, MP_MASK_WAITER, __ATOMIC_SEQ_CST);
}

static void it_calls_once_for_each_arming(void) {
  uint32_t *bell = make_session(1) + 9;
  uint32_t *parked = bell + 1;
  struct mp_waiter *waiter;
  CHECK(mp_waiter_start(bell, parked, 0, count_call, NULL, &waiter) == 0);
  for (uint32_t round = 1; round <= 100; round++) {
    ring(bell, parked); /* nobody asked for this one */
    arm(parked);
    ring(bell, parked);
    ring(bell, parked);
    AWAIT(get(&calls) == round);
    CHECK((get(parked) & MP_MASK_WAITER) == 0);
  }
  mp_waiter_stop(waiter);
  CHECK(get(&calls) == 100);
}

static void it_leaves_the_sync_bit_alone(void) {
  uint32_t *bell = make_session(1) + 9;
  uint32_t *parked = bell + 1;
  struct mp_waiter *waiter;
  CHECK(mp_waiter_start(bell, parked, 0, count_call, NULL, &waiter) == 0);
  put(parked, MP_MASK_ALL);
  ring(bell, parked);
  AWAIT(get(&calls) == 1);
  CHECK(get(parked) == MP_MASK_SYNC);
  mp_waiter_stop(waiter);
}

static void a_ring_before_the_start_is_not_lost(void) {
  uint32_t *bell = make_session(1) + 9;
  uint32_t *parked = bell + 1;
  put(bell, UINT32_MAX);
  arm(parked);
  ring(bell, parked); /* after the caller looked, before the thread runs */
  struct mp_waiter *waiter;
  CHECK(mp_waiter_start(bell, parked, UINT32_MAX, count_call, NULL, &waiter) == 0);
  AWAIT(get(&calls) == 1);
  mp_waiter_stop(waiter);
}

static uint32_t unblocked;

static bool look_at_signals(void *context) {
  (void)context;
  sigset_t blocked;
  CHECK(pthread_sigmask(SIG_SETMASK, NULL, &blocked) == 0);
  for (int number = 1; number <= 31; number++) {
    if (number == SIGKILL || number == SIGSTOP) continue;
    if (sigismember(&blocked, number) != 1) add(&unblocked, 1);
  }
  return count_call(NULL);
}

static void signals_are_not_for_it(void) {
  uint32_t *bell = make_session(1) + 9;
  struct mp_waiter *waiter;
  CHECK(mp_waiter_start(bell, bell + 1, 0, look_at_signals, NULL, &waiter) == 0);
  arm(bell + 1);
  ring(bell, bell + 1);
  AWAIT(get(&calls) == 1);
  CHECK(get(&unblocked) == 0);
  sigset_t mine;
  CHECK(pthread_sigmask(SIG_SETMASK, NULL, &mine) == 0 && sigismember(&mine, SIGINT) == 0);
  mp_waiter_stop(waiter);
}

static bool refuse(void *context) {
  (void)count_call(context);
  return false;
}

static void it_ends_when_its_callback_says_so(void) {
  uint32_t *bell = make_session(1) + 9;
  struct mp_waiter *waiter;
  CHECK(mp_waiter_start(bell, bell + 1, 0, refuse, NULL, &waiter) == 0);
  arm(bell + 1);
  ring(bell, bell + 1);
  AWAIT(get(&calls) == 1);
  arm(bell + 1);
  ring(bell, bell + 1);
  mp_waiter_stop(waiter);
  CHECK(get(&calls) == 1);
}

/* ---- storms ---- */

struct storm {
  uint32_t *bell;
  uint32_t *parked;
  uint32_t *sent;
  uint32_t each; /* how often to ring; 0: until `quit` */
  uint32_t quit;
};

static void *ring_on(void *argument) {
  struct storm *storm = argument;
  for (uint32_t i = 0; storm->each == 0 ? get(&storm->quit) == 0 : i < storm->each; i++) {
    add(storm->sent, 1);
    ring(storm->bell, storm->parked);
  }
  return NULL;
}

static void ring_on_in_child(void *argument) {
  (void)ring_on(argument);
}

/* Stands for the event loop: sleeps on a futex of its own until the callback comes. */
static uint32_t called;

static bool call_loop(void *context) {
  (void)context;
  add(&called, 1);
  CHECK(mp_wake(&called, MP_MASK_SYNC) >= 0);
  return true;
}

static void no_ring_of_a_storm_is_lost(void) {
  uint32_t *words = make_session(1);
  struct storm storm = {.bell = words + 9, .parked = words + 10, .sent = words + 11, .each = 5000};
  pid_t child = start(ring_on_in_child, &storm);
  struct mp_waiter *waiter;
  uint32_t first = get(storm.bell);
  CHECK(mp_waiter_start(storm.bell, storm.parked, first, call_loop, NULL, &waiter) == 0);
  pthread_t threads[2];
  for (int i = 0; i < 2; i++) CHECK(pthread_create(&threads[i], NULL, ring_on, &storm) == 0);

  /* waiting.ts, onBell(): drain, arm, look again, sleep. A lost ring sleeps until the deadline. */
  uint32_t drained = 0;
  while (drained < 15000) {
    uint32_t turn = get(&called);
    uint32_t seen = get(storm.bell);
    drained = get(storm.sent);
    arm(storm.parked);
    if (get(storm.bell) != seen) continue;
    while (drained < 15000 && get(&called) == turn) {
      CHECK(mp_park(&called, turn, MP_MASK_SYNC, -1) >= 0);
    }
  }
  for (int i = 0; i < 2; i++) CHECK(pthread_join(threads[i], NULL) == 0);
  CHECK(reap(child) == 0);
  mp_waiter_stop(waiter);
}

static bool rearm(void *context) {
  const struct storm *storm = context;
  arm(storm->parked); /* so that the next ring of the storm calls again */
  return count_call(NULL);
}

static void it_stops_in_the_middle_of_a_storm(void) {
  uint32_t *words = make_session(1);
  struct storm storm = {.bell = words + 9, .parked = words + 10, .sent = words + 11};
  pthread_t thread;
  CHECK(pthread_create(&thread, NULL, ring_on, &storm) == 0);
  for (int i = 0; i < 200; i++) {
    struct mp_waiter *waiter;
    arm(storm.parked);
    CHECK(mp_waiter_start(storm.bell, storm.parked, get(storm.bell), rearm, &storm, &waiter) == 0);
    if (i % 2 == 0) {
      uint32_t before = get(&calls);
      AWAIT(get(&calls) != before);
    }
    mp_waiter_stop(waiter);
    uint32_t after = get(&calls);
    sched_yield();
    CHECK(get(&calls) == after);
  }
  put(&storm.quit, 1);
  CHECK(pthread_join(thread, NULL) == 0);
}

static void it_stops_while_asleep(void) {
  uint32_t *bell = make_session(1) + 9;
  for (int i = 0; i < 200; i++) {
    struct mp_waiter *waiter;
    uint32_t before = get(bell);
    CHECK(mp_waiter_start(bell, bell + 1, before, count_call, NULL, &waiter) == 0);
    mp_waiter_stop(waiter);
    CHECK(get(bell) == before + 1);
  }
  CHECK(get(&calls) == 0);
}

const struct test_case waiter_tests[] = {
  {"the waiter calls once for each arming", it_calls_once_for_each_arming, false},
  {"the waiter leaves the sync bit alone", it_leaves_the_sync_bit_alone, false},
  {"a ring before the waiter's start is not lost", a_ring_before_the_start_is_not_lost, false},
  {"signals are not for the waiter", signals_are_not_for_it, false},
  {"the waiter ends when its callback says so", it_ends_when_its_callback_says_so, false},
  {"no ring of a storm is lost", no_ring_of_a_storm_is_lost, false},
  {"the waiter stops in the middle of a storm", it_stops_in_the_middle_of_a_storm, false},
  {"the waiter stops while asleep", it_stops_while_asleep, false},
  {0},
};
