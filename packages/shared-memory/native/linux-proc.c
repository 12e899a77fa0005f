/*
 * Linux: /proc, read without allocating. The one thing to know: opendir() and fopen() allocate, and
 * whoever holds the allocator's lock may be frozen (linux-freeze.c).
 */
#include "linux-fork.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* struct linux_dirent64, up to its name. */
struct entry {
  uint64_t inode;
  int64_t next;
  uint16_t length;
  uint8_t type;
  char name[];
};

/* The number that a name says, or -1. */
static int number_of(const char *name) {
  int number = 0;
  if (*name == '\0') return -1;
  for (; *name != '\0'; name++) {
    if (*name < '0' || *name > '9' || number > INT32_MAX / 10 - 1) return -1;
    number = number * 10 + (*name - '0');
  }
  return number;
}

int mp_list_numbers(const char *directory, int (*each)(int number, void *context), void *context) {
  int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return -errno;
  _Alignas(struct entry) char buffer[4096];
  int error = 0;
  for (bool goes_on = true; goes_on;) {
    long length = syscall(SYS_getdents64, fd, buffer, sizeof buffer);
    if (length < 0) error = -errno;
    if (length <= 0) break;
    for (long at = 0; at < length && goes_on;) {
      /* SAFETY: the kernel aligns its entries to 8 bytes. */
      const struct entry *entry = (const struct entry *)(const void *)(buffer + at);
      int number = number_of(entry->name);
      if (number >= 0 && number != fd) goes_on = each(number, context) != 0;
      at += entry->length;
    }
  }
  (void)close(fd);
  return error;
}

ssize_t mp_read_text(const char *path, char *text, size_t size) {
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return -errno;
  size_t length = 0;
  ssize_t count = 0;
  while (length < size - 1) {
    count = read(fd, text + length, size - 1 - length);
    if (count <= 0) break;
    length += (size_t)count;
  }
  int error = count < 0 ? -errno : 0;
  (void)close(fd);
  text[length] = '\0';
  return error < 0 ? error : (ssize_t)length;
}

int mp_each_mapping(void (*each)(const struct mp_mapping *mapping)) {
  static char text[65536];
  int fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
  if (fd < 0) return -errno;
  size_t length = 0;
  int error = 0;
  for (;;) {
    ssize_t count = read(fd, text + length, sizeof text - 1 - length);
    if (count < 0) error = -errno;
    if (count <= 0) break;
    length += (size_t)count;
    text[length] = '\0';
    char *line = text;
    for (char *end; (end = strchr(line, '\n')) != NULL; line = end + 1) {
      *end = '\0';
      char *dash = NULL;
      struct mp_mapping mapping = {.from = (uintptr_t)strtoull(line, &dash, 16), .line = line};
      mapping.to = (uintptr_t)strtoull(dash + 1, NULL, 16);
      each(&mapping);
    }
    length -= (size_t)(line - text);
    memmove(text, line, length);
  }
  (void)close(fd);
  return error;
}
