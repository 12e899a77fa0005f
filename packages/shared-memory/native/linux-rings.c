/*
 * Linux: takes from libuv the rings (io_uring) by which it tells the kernel what its epolls wait for.
 * A ring's memory is shared with every copy, which would each submit what the others prepared. The
 * one thing to know: libuv does without when `ringfd` in its `struct uv__iou` (src/unix/internal.h,
 * 1.46 to 1.52) is -1; the structure is found by the three mappings and descriptors that it names.
 */
#include "linux-fork.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { MAX_RINGS = 64 };
/* Pages that are asked about at once. */
enum { BATCH = 256 };

/* From the field `sq` on; before it are pointers into the same mapping. */
struct iou {
  uintptr_t sq;
  uintptr_t cqe;
  uintptr_t sqe;
  size_t lengths[4]; /* sqlen, cqlen, maxlen, sqelen */
  int ringfd;
};

struct mapping {
  uintptr_t from, to;
};

static struct {
  int fds[MAX_RINGS];
  struct iou *users[MAX_RINGS];
  uint32_t fd_count;
  struct mapping rings[2 * MAX_RINGS];
  uint32_t ring_count;
  uintptr_t lowest, highest; /* where mappings of rings begin */
  bool is_whole;             /* whether to search also what is not in memory */
  bool is_ambiguous;
} state;

static bool is_ring(int fd) {
  static const char NAME[] = "anon_inode:[io_uring]";
  char path[32] = "/proc/self/fd/", link[sizeof NAME];
  char digits[12];
  size_t count = 0;
  for (int rest = fd; count == 0 || rest > 0; rest /= 10) digits[count++] = (char)('0' + rest % 10);
  size_t length = strlen(path);
  while (count > 0) path[length++] = digits[--count];
  path[length] = '\0';
  ssize_t size = readlink(path, link, sizeof link);
  return size == (ssize_t)sizeof NAME - 1 && memcmp(link, NAME, sizeof NAME - 1) == 0;
}

static int note_ring(int fd, void *context) {
  (void)context;
  if (is_ring(fd) && state.fd_count < MAX_RINGS) state.fds[state.fd_count++] = fd;
  return 1;
}

static bool is_mapping(uintptr_t address) {
  /* Nearly always it is none of these. */
  if (address < state.lowest || address > state.highest) return false;
  for (uint32_t i = 0; i < state.ring_count; i++) {
    if (state.rings[i].from == address) return true;
  }
  return false;
}

/* Looks for users of rings that begin in a range of memory, which goes on until `end`. */
static void search(uintptr_t from, uintptr_t to, uintptr_t end) {
  for (uintptr_t at = from; at < to && at + sizeof(struct iou) <= end; at += sizeof(uintptr_t)) {
    struct iou *iou = (struct iou *)at;
    if (!is_mapping(iou->sq) || !is_mapping(iou->sqe) || iou->sq == iou->sqe) continue;
    if (iou->cqe <= iou->sq || iou->cqe >= iou->sq + iou->lengths[2]) continue;
    for (uint32_t i = 0; i < state.fd_count; i++) {
      if (state.fds[i] != iou->ringfd) continue;
      if (state.users[i] != NULL) state.is_ambiguous = true;
      state.users[i] = iou;
    }
  }
}

static void note_mapping(const struct mp_mapping *mapping) {
  if (strstr(mapping->line, "anon_inode:[io_uring]") == NULL || state.ring_count == 2 * MAX_RINGS) return;
  state.rings[state.ring_count++] = (struct mapping){.from = mapping->from, .to = mapping->to};
  if (state.lowest == 0 || mapping->from < state.lowest) state.lowest = mapping->from;
  if (mapping->from > state.highest) state.highest = mapping->from;
}

/*
 * Looks where there is something: most of what is mapped are stacks of which nearly nothing is used. To read it would make
 * 20,000 entries in the page table, which each copy would get.
 */
static void search_resident(uintptr_t from, uintptr_t to) {
  const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
  unsigned char resident[BATCH];
  for (uintptr_t at = from; at < to;) {
    const uintptr_t end = to - at > BATCH * page ? at + BATCH * page : to;
    const bool is_known = !state.is_whole && mincore((void *)at, end - at, resident) == 0;
    for (uint32_t i = 0; at < end; i++, at += page) {
      if (!is_known || (resident[i] & 1) != 0) search(at, at + page, to);
    }
  }
}

static void search_mapping(const struct mp_mapping *mapping) {
  /* Private and writable, of no file: where an allocator has its memory. */
  const char *modes = strchr(mapping->line, ' ');
  const bool is_allocated = strchr(mapping->line, '/') == NULL && strchr(mapping->line, ':') != NULL;
  if (modes == NULL || strncmp(modes + 1, "rw-p", 4) != 0 || !is_allocated) return;
  if (strstr(mapping->line, "anon_inode") == NULL) {
    search_resident(mapping->from, mapping->to);
  }
}

/* Whether each ring has a user that is known. */
static bool is_found(void) {
  for (uint32_t i = 0; i < state.fd_count; i++) {
    if (state.users[i] == NULL) return false;
  }
  return true;
}

const char *mp_rings_take(void) {
  if (mp_list_numbers("/proc/self/fd", note_ring, NULL) < 0) return "/proc cannot be read";
  if (state.fd_count == 0) return NULL;
  if (mp_each_mapping(note_mapping) < 0 || mp_each_mapping(search_mapping) < 0) {
    return "/proc cannot be read";
  }
  if (!is_found()) {
    /* It may have been swapped out. */
    memset(state.users, 0, sizeof state.users);
    state.is_whole = true;
    if (mp_each_mapping(search_mapping) < 0) return "/proc cannot be read";
  }
  if (state.is_ambiguous || !is_found()) {
    return "a ring between it and the kernel (io_uring) is not libuv's, or of another version of it";
  }
  for (uint32_t i = 0; i < state.fd_count; i++) {
    state.users[i]->ringfd = -1;
    (void)close(state.fds[i]);
  }
  for (uint32_t i = 0; i < state.ring_count; i++) {
    (void)munmap((void *)state.rings[i].from, state.rings[i].to - state.rings[i].from);
  }
  return NULL;
}
