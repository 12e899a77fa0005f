/*
 * Runs the tests and counts. The one thing to know: each test is the leader of a process group, and
 * fails when any member of the group outlives it.
 */
#include "harness.h"

#include <dirent.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

/* Seconds for one test; sanitizers make it some ten times slower than it need be. */
static const unsigned DEADLINE_S = 30;

void pause_briefly(void) {
  const struct timespec pause = {.tv_nsec = 200 * 1000};
  (void)nanosleep(&pause, NULL);
}

pid_t start(void (*body)(void *), void *argument) {
  pid_t parent = getpid();
  pid_t pid = fork();
  CHECK(pid >= 0);
  if (pid > 0) return pid;
  CHECK(prctl(PR_SET_PDEATHSIG, SIGKILL) == 0);
  if (getppid() != parent) _exit(1);
  body(argument);
  _exit(0);
}

/* The exit code of a test that is left out. */
#define LEFT_OUT 77

void needs_real_kernel(void) {
  if (getenv("MP_TEST_EMULATED") != NULL) _exit(LEFT_OUT);
}

void become_subreaper(void) {
  needs_real_kernel();
  CHECK(prctl(PR_SET_CHILD_SUBREAPER, 1) == 0);
}

int reap(pid_t pid) {
  int status;
  while (waitpid(pid, &status, 0) < 0) CHECK(errno == EINTR);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

void kill_and_reap(pid_t pid) {
  CHECK(kill(pid, SIGKILL) == 0);
  (void)reap(pid);
}

void await_zombie(pid_t pid) {
  siginfo_t info;
  while (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT) < 0) CHECK(errno == EINTR);
}

void await_asleep(pid_t pid, pid_t tid, const uint32_t *word) {
  needs_real_kernel(); /* /proc would tell of the emulator's system calls */
  char path[64], line[128];
  (void)snprintf(path, sizeof path, "/proc/%d/task/%d/syscall", pid, tid);
  for (;;) {
    FILE *file = fopen(path, "re");
    CHECK(file != NULL);
    long number = -1;
    unsigned long address = 0;
    bool read = fgets(line, sizeof line, file) != NULL;
    (void)fclose(file);
    /* "running", or the number of the system call and its arguments */
    if (read && sscanf(line, "%ld %lx", &number, &address) == 2 && number == SYS_futex &&
        address == (unsigned long)word) {
      return;
    }
    pause_briefly();
  }
}

int count_fds(void) {
  DIR *folder = opendir("/proc/self/fd");
  CHECK(folder != NULL);
  int count = 0;
  while (readdir(folder) != NULL) count++;
  (void)closedir(folder);
  return count;
}

_Noreturn void sleep_forever(void) {
  for (;;) (void)pause();
}

uint32_t slot_at(uint32_t slot, uint32_t word) {
  return T_SLOTS + slot * T_SLOT_WORDS + word;
}

uint32_t *make_session(uint32_t slots) {
  const char *step = NULL;
  CHECK(mp_session_create(1 << 20, &step) == 0);
  const struct mp_layout layout = {
    .slots_word = T_SLOTS,
    .slot_words = T_SLOT_WORDS,
    .slot_count = slots,
    .state_word = T_STATE,
    .pid_word = T_PID,
    .bell_word = T_BELL,
    .parked_word = T_PARKED,
    .deaths_word = T_DEATHS,
    .gone_state = T_GONE,
    .live_state = T_LIVE,
  };
  CHECK(mp_session_set_layout(&layout) == 0);
  return mp_session_word(0);
}

enum outcome { PASSED, FAILED, OMITTED };

/* Whether the process group has members left, zombies apart that init has yet to reap. */
static bool leaves_processes(pid_t group) {
  if (kill(-group, 0) < 0) return false;
  (void)kill(-group, SIGKILL);
  return true;
}

static enum outcome outcome_of(const struct test_case *test) {
  (void)fflush(NULL);
  pid_t pid = fork();
  if (pid == 0) {
    (void)setpgid(0, 0);
    (void)alarm(DEADLINE_S);
    if (test->without_pidfds) (void)setenv("MP_NO_PIDFD", "1", 1);
    (void)mp_platform_init();
    test->run();
    exit(0); /* not _exit: the leak checker reports at exit */
  }
  int status;
  if (pid < 0 || waitpid(pid, &status, 0) < 0) return FAILED;
  bool leaves = leaves_processes(pid);
  if (WIFEXITED(status) && WEXITSTATUS(status) == LEFT_OUT) return OMITTED;
  if (leaves) {
    (void)fprintf(stderr, "    it left a process behind\n");
    return FAILED;
  }
  if (WIFSIGNALED(status)) {
    const char *what = WTERMSIG(status) == SIGALRM ? "deadline" : strsignal(WTERMSIG(status));
    (void)fprintf(stderr, "    ended by: %s\n", what);
  }
  return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? PASSED : FAILED;
}

int main(int argc, char **argv) {
  const char *only = argc > 1 ? argv[1] : "";
  const struct test_case *const suites[] = {segment_tests,  park_tests,  waiter_tests, liveness_tests,
                                            agent_tests, watch_tests, parent_tests, exit_tests,
                                            poll_tests,    named_tests};
  static const char *const words[] = {[PASSED] = "ok  ", [FAILED] = "FAIL", [OMITTED] = "left out"};
  int counts[] = {[PASSED] = 0, [FAILED] = 0, [OMITTED] = 0};
  for (size_t i = 0; i < sizeof suites / sizeof *suites; i++) {
    for (const struct test_case *test = suites[i]; test->title != NULL; test++) {
      if (strstr(test->title, only) == NULL) continue;
      enum outcome outcome = outcome_of(test);
      (void)fprintf(stderr, "%s %s\n", words[outcome], test->title);
      counts[outcome]++;
    }
  }
  (void)printf("%d passed, %d failed", counts[PASSED], counts[FAILED]);
  if (counts[OMITTED] > 0) (void)printf(", %d left out under the emulator", counts[OMITTED]);
  (void)printf("\n");
  return counts[FAILED] > 0 || counts[PASSED] == 0;
}
