/*
 * Linux: the pages that a copy of this process touches first. One copy looks, by /proc/self/pagemap, which it has come
 * to have for itself, and notes them where the original sees it; later ones ask the kernel for all of them at once, while
 * they have nothing else to do. The one thing to know: this is a hint. Whatever is wrong with it, a page that is
 * missing is had by a fault, as ever.
 */
#include "linux-fork.h"
#include "platform.h"

#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22
#define MADV_POPULATE_WRITE 23
#endif

/* Of an entry of pagemap (kernel.org, "pagemap, from the userspace perspective"). */
static const uint64_t IS_PRESENT = (uint64_t)1 << 63, IS_OURS_ALONE = (uint64_t)1 << 56;

enum { MAX_RANGES = 2048, ENTRIES = 1024 };
static const uintptr_t FILE_PART = 65536;
/* A copy that has touched more than this does not tell what all of them touch. */
static const uintptr_t MAX_PAGES = 4096;

struct range {
  uintptr_t from, to;
  bool is_written;
};

/* In memory that the copies share with the original. */
struct table {
  uint32_t count; /* stored last */
  struct range ranges[MAX_RANGES];
};

static struct table *table;

/* While the copy looks. */
static struct {
  int pagemap;
  uint32_t count;
  uintptr_t pages;
} look;

void mp_touched_begin(void) {
  void *map = mmap(NULL, sizeof *table, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (map != MAP_FAILED) table = map;
}

static void note(uintptr_t page, uintptr_t size, bool is_written) {
  struct range *last = look.count == 0 ? NULL : &table->ranges[look.count - 1];
  const bool is_next = last != NULL && last->is_written == is_written;
  /* Of a file, the kernel maps all that is in memory of such a part, whichever of its pages is asked for. */
  if (is_next && !is_written && page / FILE_PART == last->from / FILE_PART) return;
  look.pages++;
  if (is_next && is_written && last->to == page) {
    last->to += size;
  } else if (look.count < MAX_RANGES) {
    table->ranges[look.count++] = (struct range){.from = page, .to = page + size, .is_written = is_written};
  }
}

/* Of a private mapping: what is written is this copy's alone; what is read of a file is there. */
static void note_mapping(const struct mp_mapping *mapping) {
  static uint64_t entries[ENTRIES];
  const char *rights = strchr(mapping->line, ' ');
  if (rights == NULL || rights[4] != 'p' || rights[1] != 'r') return;
  const bool is_file = strchr(mapping->line, '/') != NULL;
  const uintptr_t size = (uintptr_t)sysconf(_SC_PAGESIZE);
  for (uintptr_t at = mapping->from; at < mapping->to;) {
    const uintptr_t left = (mapping->to - at) / size;
    const size_t wanted = sizeof *entries * (left < ENTRIES ? left : ENTRIES);
    const ssize_t length = pread(look.pagemap, entries, wanted, (off_t)(at / size * sizeof *entries));
    if (length <= 0) return;
    for (size_t i = 0; i < (size_t)length / sizeof *entries; i++, at += size) {
      if ((entries[i] & IS_PRESENT) == 0) continue;
      if ((entries[i] & IS_OURS_ALONE) != 0 && rights[2] == 'w') note(at, size, true);
      else if (is_file) note(at, size, false);
    }
  }
}

void mp_forkserver_learn(void) {
  if (table == NULL) return;
  look.pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
  if (look.pagemap < 0) return;
  const int error = mp_each_mapping(note_mapping);
  (void)close(look.pagemap);
  if (error < 0 || look.pages > MAX_PAGES) return;
  /* SYNC: pairs with mp_touched_fetch(): all above is there for whoever reads this. */
  __atomic_store_n(&table->count, look.count, __ATOMIC_SEQ_CST);
}

void mp_touched_fetch(void) {
  if (table == NULL) return;
  const uint32_t count = __atomic_load_n(&table->count, __ATOMIC_SEQ_CST);
  for (uint32_t i = 0; i < count; i++) {
    const struct range *range = &table->ranges[i];
    /* Older kernels refuse; where nothing is mapped any more, so does any. */
    (void)madvise((void *)range->from, range->to - range->from,
                  range->is_written ? MADV_POPULATE_WRITE : MADV_POPULATE_READ);
  }
}
