/* Named blocks: who finds them, who keeps them, and who takes their names away. */
#include "../named.h"
#include "harness.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

static const char *step;
static char folder[64], path[96];

/* A folder of this test's own. The last block that goes takes it along. */
static void make_folder(void) {
  (void)snprintf(folder, sizeof folder, "/dev/shm/mp-native-%d", (int)getpid());
  (void)snprintf(path, sizeof path, "%s/one.block", folder);
  CHECK(mkdir(folder, 0700) == 0);
}

static bool is_there(const char *name) {
  struct stat status;
  return lstat(name, &status) == 0;
}

static struct mp_named *create(void) {
  struct mp_named *named;
  CHECK(mp_named_create(folder, path, 10000, &named, &step) == 0);
  return named;
}

static struct mp_named *open_again(void) {
  struct mp_named *named;
  CHECK(mp_named_open(path, &named, &step) == 0);
  return named;
}

static int try_open(void) {
  struct mp_named *named;
  return mp_named_open(path, &named, &step);
}

static void users_share_zeroed_memory_that_is_there(void) {
  make_folder();
  struct mp_named *named = create(), *other = open_again();
  const uint8_t *bytes = mp_named_base(other);
  CHECK(mp_named_byte_length(named) == 10000 && mp_named_byte_length(other) == 10000);
  for (size_t i = 0; i < 10000; i++) CHECK(bytes[i] == 0);
  ((uint8_t *)mp_named_base(named))[9999] = 5;
  CHECK(bytes[9999] == 5);
  CHECK(mp_named_identity(named) == mp_named_identity(other));
  struct stat status;
  CHECK(stat(path, &status) == 0 && status.st_blocks * 512 >= 10000);
  CHECK(mp_named_unlink(named, &step) == 0);
  mp_named_free(named, true);
  mp_named_free(other, true);
  CHECK(!is_there(folder));
}

static void a_name_is_taken_once(void) {
  make_folder();
  int fds = count_fds();
  struct mp_named *named = create(), *second;
  CHECK(mp_named_create(folder, path, 10, &second, &step) == -EEXIST);
  CHECK(mp_named_unlink(named, &step) == 0);
  CHECK(mp_named_unlink(named, &step) == -ENOENT);
  CHECK(try_open() == -ENOENT);
  mp_named_free(named, true);
  CHECK(count_fds() == fds);
}

static void a_successor_keeps_its_name(void) {
  make_folder();
  struct mp_named *old = create();
  CHECK(mp_named_unlink(old, &step) == 0);
  CHECK(mkdir(folder, 0700) == 0);
  struct mp_named *new = create();
  CHECK(mp_named_unlink(old, &step) == -ENOENT);
  mp_named_free(old, true);
  CHECK(is_there(path));
  CHECK(mp_named_unlink(new, &step) == 0);
  mp_named_free(new, true);
}

static void released_memory_is_zeros_and_harmless(void) {
  make_folder();
  struct mp_named *named = create(), *other = open_again();
  uint8_t *bytes = mp_named_base(named);
  bytes[7] = 1;
  mp_named_release(named);
  CHECK(bytes[7] == 0);
  bytes[8] = 1;
  CHECK(((uint8_t *)mp_named_base(other))[7] == 1 && ((uint8_t *)mp_named_base(other))[8] == 0);
  CHECK(mp_named_unlink(named, &step) == 0);
  mp_named_free(named, true);
  mp_named_free(other, true);
}

static void use_and_end(void *argument) {
  (void)argument;
  mp_named_free(open_again(), true);
}

static void the_maker_keeps_it_until_its_name_goes(void) {
  make_folder();
  int fds = count_fds();
  mp_named_free(create(), true);
  CHECK(is_there(path));
  CHECK(count_fds() == fds + 1);
  CHECK(reap(start(use_and_end, NULL)) == 0);
  struct mp_named *other = open_again();
  CHECK(mp_named_unlink(other, &step) == 0);
  CHECK(count_fds() == fds + 1);
  mp_named_free(other, true);
  CHECK(count_fds() == fds);
}

static void create_and_be_killed(void *argument) {
  (void)argument;
  (void)create();
  sleep_forever();
}

static void what_the_killed_have_left_is_swept(void) {
  make_folder();
  pid_t pid = start(create_and_be_killed, NULL);
  AWAIT(is_there(path));
  CHECK(mp_named_sweep(path, &step) == 0);
  kill_and_reap(pid);
  CHECK(is_there(path));
  CHECK(mp_named_sweep(path, &step) == 1);
  CHECK(!is_there(folder));
  CHECK(mp_named_sweep(path, &step) == -ENOENT);
}

static void the_last_user_takes_the_name_of_a_killed_makers_block(void) {
  make_folder();
  pid_t pid = start(create_and_be_killed, NULL);
  AWAIT(is_there(path));
  struct mp_named *named = open_again(), *other = open_again();
  kill_and_reap(pid);
  CHECK(mp_named_sweep(path, &step) == 0);
  mp_named_free(named, true);
  CHECK(is_there(path));
  mp_named_free(other, true);
  CHECK(!is_there(folder));
}

static void create_and_exit(void *argument) {
  (void)argument;
  (void)create();
  (void)open_again();
  mp_named_release(open_again());
  exit(0);
}

static void an_orderly_end_takes_its_names_away(void) {
  make_folder();
  CHECK(reap(start(create_and_exit, NULL)) == 0);
  CHECK(!is_there(folder));
}

static void who_comes_while_it_is_being_removed_finds_nothing(void) {
  make_folder();
  struct mp_named *named = create();
  /* As the last user does: the USE byte, exclusively. */
  struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 0, .l_len = 1};
  mp_named_free(named, true);
  int fd = open(path, O_RDWR | O_CLOEXEC);
  CHECK(fd >= 0);
  /* The maker still keeps it. */
  CHECK(fcntl(fd, F_OFD_SETLK, &lock) < 0 && errno == EAGAIN);
  CHECK(unlink(path) == 0 && rmdir(folder) == 0);
  (void)close(fd);
  CHECK(try_open() == -ENOENT);
}

static const int CHURN_ROUNDS = 4000;

/* Opens what is there, and makes one; only makers take names away. */
static void churn(void *argument) {
  (void)argument;
  for (int i = 0; i < CHURN_ROUNDS; i++) {
    struct mp_named *named, *again;
    (void)mkdir(folder, 0700);
    int error = i % 2 == 0 ? mp_named_open(path, &named, &step)
                           : mp_named_create(folder, path, 4096, &named, &step);
    if (error < 0) {
      CHECK(error == -ENOENT || error == -EEXIST);
      continue;
    }
    CHECK(mp_named_byte_length(named) == 4096);
    if (i % 2 == 1) {
      /* In use: so nobody else may have taken its name away. */
      CHECK(mp_named_open(path, &again, &step) == 0);
      CHECK(mp_named_identity(again) == mp_named_identity(named));
      mp_named_free(again, true);
      CHECK(mp_named_unlink(named, &step) == 0);
    }
    mp_named_free(named, true);
  }
  exit(0);
}

static void sweep_for_ever(void *argument) {
  (void)argument;
  for (;;) {
    int swept = mp_named_sweep(path, &step);
    CHECK(swept >= 0 || swept == -ENOENT);
  }
}

static void makers_users_and_sweepers_may_meet(void) {
  make_folder();
  pid_t pids[3];
  pid_t sweeper = start(sweep_for_ever, NULL);
  for (int i = 0; i < 3; i++) pids[i] = start(churn, NULL);
  for (int i = 0; i < 3; i++) CHECK(reap(pids[i]) == 0);
  kill_and_reap(sweeper);
  CHECK(!is_there(path));
  (void)rmdir(folder);
}

const struct test_case named_tests[] = {
  {"users of a name share zeroed memory that is there", users_share_zeroed_memory_that_is_there,
   false},
  {"a name is taken once", a_name_is_taken_once, false},
  {"a block with the name of an earlier one keeps it", a_successor_keeps_its_name, false},
  {"released memory is zeros, and harmless", released_memory_is_zeros_and_harmless, false},
  {"the maker keeps a block until its name goes", the_maker_keeps_it_until_its_name_goes, false},
  {"what the killed have left is swept", what_the_killed_have_left_is_swept, false},
  {"the last user takes the name of a killed maker's block away",
   the_last_user_takes_the_name_of_a_killed_makers_block, false},
  {"an orderly end takes its names away", an_orderly_end_takes_its_names_away, false},
  {"who comes while a block is kept or removed does not take it for dead",
   who_comes_while_it_is_being_removed_finds_nothing, false},
  {"makers, users and sweepers may meet", makers_users_and_sweepers_may_meet, false},
  {NULL, NULL, false},
};
