/* The session's memory: who can map it, and who cannot. */
#include "harness.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>

static const char *step;

static uint32_t *words_of(const struct mp_segment *segment) {
  return (uint32_t *)(void *)segment->base;
}

static void create_gives_zeroed_memory_of_the_size_asked_for(void) {
  struct mp_segment segment;
  CHECK(mp_segment_create(123456, &segment, &step) == 0);
  CHECK(segment.byte_length == 123456);
  for (uint64_t i = 0; i < segment.byte_length; i++) CHECK(segment.base[i] == 0);
  CHECK((fcntl(segment.fd, F_GETFD) & FD_CLOEXEC) != 0);
  CHECK((fcntl(segment.lock_fd, F_GETFD) & FD_CLOEXEC) != 0);
}

static void nobody_can_resize_or_unseal_it(void) {
  struct mp_segment segment;
  CHECK(mp_segment_create(8192, &segment, &step) == 0);
  CHECK(ftruncate(segment.fd, 4096) < 0 && errno == EPERM);
  CHECK(ftruncate(segment.fd, 16384) < 0 && errno == EPERM);
  CHECK(fcntl(segment.fd, F_ADD_SEALS, F_SEAL_WRITE) < 0);
}

static void a_sparse_16_gib_session_costs_nothing_until_touched(void) {
  struct mp_segment segment;
  CHECK(mp_segment_create((uint64_t)16 << 30, &segment, &step) == 0);
  struct stat status;
  CHECK(fstat(segment.fd, &status) == 0 && status.st_blocks == 0);
  segment.base[segment.byte_length - 1] = 1;
  CHECK(fstat(segment.fd, &status) == 0 && status.st_blocks > 0);
  CHECK(status.st_blocks * 512 <= 2 << 20); /* one page, were it a huge one */
}

static void punch_gives_pages_back_and_leaves_zeros(void) {
  struct mp_segment segment;
  CHECK(mp_segment_create(1 << 20, &segment, &step) == 0);
  memset(segment.base, 0xff, 1 << 20);
  struct stat before, after;
  CHECK(fstat(segment.fd, &before) == 0);
  CHECK(mp_segment_punch(&segment, 1 << 18, 1 << 19) == 0);
  CHECK(fstat(segment.fd, &after) == 0);
  CHECK(after.st_blocks <= before.st_blocks - (1 << 19) / 512);
  CHECK(segment.base[(1 << 18) - 1] == 0xff && segment.base[3 << 18] == 0xff);
  for (size_t i = 1 << 18; i < 3 << 18; i++) CHECK(segment.base[i] == 0);
}

static void attach_in_child(void *argument) {
  const struct mp_segment *parent = argument;
  /* As it arrives in a stdio slot: another number, without close-on-exec. */
  int fd = dup(parent->fd);
  struct mp_segment segment;
  CHECK(mp_segment_attach(fd, &segment, &step) == 0);
  CHECK(segment.base != parent->base && segment.byte_length == parent->byte_length);
  CHECK((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
  CHECK(get(words_of(&segment) + 5) == 41);
  put(words_of(&segment) + 5, 42);
}

static void an_inherited_descriptor_maps_the_same_memory(void) {
  struct mp_segment segment;
  CHECK(mp_segment_create(1 << 16, &segment, &step) == 0);
  put(words_of(&segment) + 5, 41);
  CHECK(reap(start(attach_in_child, &segment)) == 0);
  CHECK(get(words_of(&segment) + 5) == 42);
}

static void create_and_tell(void *argument) {
  const int *pipe_ends = argument;
  struct mp_segment segment;
  CHECK(mp_segment_create(1 << 16, &segment, &step) == 0);
  CHECK(write(pipe_ends[1], &segment.fd, sizeof segment.fd) == sizeof segment.fd);
  AWAIT(get(words_of(&segment) + 9) == 99);
}

static void a_sibling_maps_it_through_proc(void) {
  int pipe_ends[2];
  CHECK(pipe2(pipe_ends, O_CLOEXEC) == 0);
  pid_t pid = start(create_and_tell, pipe_ends);
  int fd;
  CHECK(read(pipe_ends[0], &fd, sizeof fd) == sizeof fd);
  struct mp_segment segment;
  CHECK(mp_segment_attach_sibling(pid, fd, &segment, &step) == 0);
  put(words_of(&segment) + 9, 99);
  CHECK(reap(pid) == 0);
  CHECK(mp_segment_attach_sibling(pid, fd, &segment, &step) == -ENOENT);
  CHECK(strstr(step, "/proc") != NULL);
}

static void attach_refuses_what_is_not_a_session_file(void) {
  struct mp_segment segment;
  CHECK(mp_segment_attach(1000, &segment, &step) == -EBADF);

  int file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
  CHECK(file >= 0 && mp_segment_attach(file, &segment, &step) == -EINVAL);

  int unsealed = memfd_create("t", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  CHECK(unsealed >= 0 && ftruncate(unsealed, 4096) == 0);
  CHECK(mp_segment_attach(unsealed, &segment, &step) == -EINVAL);

  CHECK(fcntl(unsealed, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) == 0);
  CHECK(mp_segment_attach(unsealed, &segment, &step) == -EINVAL);

  int empty = memfd_create("t", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  CHECK(fcntl(empty, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) == 0);
  CHECK(mp_segment_attach(empty, &segment, &step) == -EINVAL);
}

static void a_failed_attach_leaves_no_descriptor(void) {
  struct mp_segment segment;
  int file = memfd_create("t", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  CHECK(file >= 0);
  int before = count_fds();
  CHECK(mp_segment_attach(file, &segment, &step) < 0);
  CHECK(mp_segment_attach_sibling(getpid(), file, &segment, &step) < 0);
  CHECK(mp_segment_create((uint64_t)1 << 62, &segment, &step) < 0); /* more than can be mapped */
  CHECK(count_fds() == before);
}

static void a_file_size_limit_is_an_error_and_not_a_signal(void) {
  const struct rlimit limit = {.rlim_cur = 65536, .rlim_max = 65536};
  CHECK(setrlimit(RLIMIT_FSIZE, &limit) == 0);
  struct mp_segment segment;
  CHECK(mp_segment_create(65540, &segment, &step) == -EFBIG);
  CHECK(strcmp(step, "RLIMIT_FSIZE") == 0);
  CHECK(mp_segment_create(65536, &segment, &step) == 0);
}

static void a_process_has_one_session(void) {
  CHECK(mp_session() == NULL && mp_session_word(0) == NULL);
  uint32_t *words = make_session(4);
  CHECK(mp_session_create(4096, &step) == -EALREADY);
  CHECK(mp_session_attach(mp_session()->fd, &step) == -EALREADY);
  CHECK(mp_session_word((1 << 18) - 1) == words + (1 << 18) - 1);
  CHECK(mp_session_word(1 << 18) == NULL);
}

static void a_layout_must_fit_and_never_change(void) {
  const struct mp_layout good = {.slots_word = 64, .slot_words = 64, .slot_count = 15, .state_word = 0,
                                 .bell_word = 63, .parked_word = 17, .deaths_word = 7,
                                 .gone_state = 4, .live_state = 2};
  CHECK(mp_session_set_layout(&good) == -ENOTCONN);
  CHECK(mp_session_ring_all() == -ENOTCONN && mp_session_own(0, &good) == -ENOTCONN);
  CHECK(mp_session_create(4096, &step) == 0); /* 1024 words: 15 slots fit, 16 do not */
  struct mp_layout bad = good;
  bad.slot_count = 16;
  CHECK(mp_session_set_layout(&bad) == -EINVAL);
  bad = good;
  bad.slots_word = 65;
  CHECK(mp_session_set_layout(&bad) == -EINVAL);
  bad = good;
  bad.bell_word = 64;
  CHECK(mp_session_set_layout(&bad) == -EINVAL);
  bad = good;
  bad.deaths_word = 1024;
  CHECK(mp_session_set_layout(&bad) == -EINVAL);
  bad = good;
  bad.gone_state = 256;
  CHECK(mp_session_set_layout(&bad) == -EINVAL);
  bad = good;
  bad.slot_words = UINT32_MAX;
  bad.slot_count = UINT32_MAX;
  CHECK(mp_session_set_layout(&bad) == -EINVAL);
  CHECK(mp_session_set_layout(&good) == 0 && mp_session_set_layout(&good) == 0);
  bad = good;
  bad.live_state = 3;
  CHECK(mp_session_set_layout(&bad) == -EINVAL);
  CHECK(mp_session_own(15, &good) == -ERANGE && mp_session_probe(15) == -ERANGE);
}

const struct test_case segment_tests[] = {
  {"create gives zeroed memory of the size asked for",
   create_gives_zeroed_memory_of_the_size_asked_for, false},
  {"nobody can resize or unseal it", nobody_can_resize_or_unseal_it, false},
  {"a sparse 16 GiB session costs nothing until touched",
   a_sparse_16_gib_session_costs_nothing_until_touched, false},
  {"punch gives pages back and leaves zeros", punch_gives_pages_back_and_leaves_zeros, false},
  {"an inherited descriptor maps the same memory", an_inherited_descriptor_maps_the_same_memory, false},
  {"a sibling maps it through /proc", a_sibling_maps_it_through_proc, false},
  {"attach refuses what is not a session file", attach_refuses_what_is_not_a_session_file, false},
  {"a failed attach leaves no descriptor", a_failed_attach_leaves_no_descriptor, false},
  {"a file size limit is an error and not a signal",
   a_file_size_limit_is_an_error_and_not_a_signal, false},
  {"a process has one session", a_process_has_one_session, false},
  {"a layout must fit and never change", a_layout_must_fit_and_never_change, false},
  {0},
};
