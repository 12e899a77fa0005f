/*
 * The C library's allocator. The one thing to know: nothing is set here that glibc does not set by
 * itself. When a block that was mapped on its own is freed, it takes blocks of that size from its
 * heap from then on, and keeps twice as much free at the heap's end (mallopt(3), "dynamic mmap
 * threshold"); up to 32 MiB. So freeing one large block, which nobody touches, is enough.
 */
#include "platform.h"

#include <stdlib.h>

/* The largest that counts is 32 MiB (DEFAULT_MMAP_THRESHOLD_MAX of a 64-bit glibc), whole pages with its header. */
static const size_t LARGEST_BYTES = 32 * 1024 * 1024 - 64 * 1024;

void mp_keep_freed_memory(void) {
  /* `volatile`: a compiler may leave out a block that is not used. */
  void *volatile block = malloc(LARGEST_BYTES);
  free(block);
}
