/* What the library owes to the process it lives in: its signals, its descriptors, its stacks. */
#include "one_store.h"
#include "threads.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>

static void use_the_library(void) {
  session_t *session;
  char *json = NULL;
  start();
  session = create(NULL, NULL);
  CHECK_OK(append_text(session, "user_prompt", "{}", NULL));
  CHECK_OK(session_abort(session, NULL));
  CHECK_OK(session_store_verify(store, &json, NULL));
  session_string_free(json);
  CHECK_OK(session_destroy(session));
  stop();
}

/* ---- signals -------------------------------------------------------------------------------- */

static const int signals[] = {SIGHUP,  SIGINT,  SIGQUIT, SIGUSR1, SIGUSR2,
                              SIGPIPE, SIGALRM, SIGTERM, SIGCHLD, SIGCONT,
                              SIGTSTP, SIGTTIN, SIGTTOU, SIGIO,   SIGWINCH};
#define SIGNALS (sizeof signals / sizeof signals[0])

static void on_signal(int number) { (void)number; }

/* Runs first: the runtime starts at the first call. */
static void signals_are_the_hosts(void) {
  struct sigaction before[SIGNALS];
  struct sigaction after;
  struct sigaction mine;
  sigset_t mask_before;
  sigset_t mask_after;
  size_t i;
  int k;

  memset(&mine, 0, sizeof mine);
  mine.sa_handler = on_signal;
  CHECK(sigaction(SIGUSR1, &mine, NULL) == 0);
  CHECK(sigaction(SIGCHLD, &mine, NULL) == 0);
  for (i = 0; i < SIGNALS; ++i) CHECK(sigaction(signals[i], NULL, &before[i]) == 0);
  CHECK(sigprocmask(SIG_SETMASK, NULL, &mask_before) == 0);
  use_the_library();
  for (i = 0; i < SIGNALS; ++i) {
    CHECK(sigaction(signals[i], NULL, &after) == 0);
    if (!CHECK(after.sa_handler == before[i].sa_handler)) printf("    signal %d\n", signals[i]);
  }
  CHECK(sigprocmask(SIG_SETMASK, NULL, &mask_after) == 0);
  for (k = 1; k < 32; ++k) {
    CHECK_INT(sigismember(&mask_before, k), sigismember(&mask_after, k));
  }
}

/* ---- descriptors ---------------------------------------------------------------------------- */

static int open_in_folder;
static int open_without_cloexec;

/* Counts this process's descriptors of files in the store's folder. */
static void look_at_descriptors(void) {
  DIR *directory = opendir("/proc/self/fd");
  struct dirent *entry;
  open_in_folder = 0;
  open_without_cloexec = 0;
  if (!CHECK(directory != NULL)) return;
  while ((entry = readdir(directory)) != NULL) {
    char path[300];
    char target[4200];
    ssize_t length;
    snprintf(path, sizeof path, "/proc/self/fd/%s", entry->d_name);
    length = readlink(path, target, sizeof target - 1);
    if (length <= 0) continue;
    target[length] = '\0';
    if (strncmp(target, folder, strlen(folder)) != 0) continue;
    ++open_in_folder;
    if ((fcntl(atoi(entry->d_name), F_GETFD) & FD_CLOEXEC) == 0) {
      ++open_without_cloexec;
      printf("    %s is passed on to programs\n", target);
    }
  }
  closedir(directory);
}

static void descriptors_are_closed_and_not_passed_on(void) {
  session_t *session;
  char *json = NULL;
  int i;

  start();
  session = create(NULL, NULL);
  for (i = 0; i < 20; ++i) CHECK_OK(append_text(session, "user_prompt", "{}", NULL));
  CHECK_OK(session_read_events(session, 0, 0, &json, NULL));
  session_string_free(json);
  look_at_descriptors();
  CHECK(open_in_folder > 0);
  CHECK_INT(0, open_without_cloexec);
  CHECK_OK(session_store_close(store));
  look_at_descriptors();
  CHECK_INT(0, open_in_folder); /* also with a session left to destroy */
  CHECK_OK(session_destroy(session));
  folder_remove(folder);
}

/* One descriptor kept at each close would add up. */
static void opens_and_closes_leak_nothing(void) {
  int i;
  folder = folder_make();
  for (i = 0; i < 20; ++i) {
    session_t *session;
    NEED(session_store_open(folder, NULL, &store));
    session = create(NULL, NULL);
    CHECK_OK(session_destroy(session));
    CHECK_OK(session_store_close(store));
  }
  look_at_descriptors();
  CHECK_INT(0, open_in_folder);
  folder_remove(folder);
}

/* ---- stacks --------------------------------------------------------------------------------- */

static void *use_on_this_thread(void *argument) {
  (void)argument;
  use_the_library();
  return NULL;
}

static void calls_need_256_kib_of_stack(void) {
  pthread_attr_t attributes;
  pthread_t thread;
  CHECK(pthread_attr_init(&attributes) == 0);
  CHECK(pthread_attr_setstacksize(&attributes, 256 * 1024) == 0);
  CHECK(pthread_create(&thread, &attributes, use_on_this_thread, NULL) == 0);
  CHECK(pthread_join(thread, NULL) == 0);
  CHECK(pthread_attr_destroy(&attributes) == 0);
}

/* Threads that come and go leave nothing of theirs behind in the library. */
static void threads_come_and_go(void) {
  int i;
  for (i = 0; i < 20; ++i) {
    threads_t threads = {{0}, 0};
    threads_start(&threads, use_on_this_thread, NULL);
    threads_join(&threads);
  }
}

/* ---- memory --------------------------------------------------------------------------------- */

static long own_memory_kb(void) {
  char line[256];
  long kb = -1;
  FILE *file = fopen("/proc/self/status", "r");
  CHECK(file != NULL);
  while (file != NULL && kb < 0 && fgets(line, sizeof line, file) != NULL)
    if (strncmp(line, "RssAnon:", 8) == 0) kb = atol(line + 8);
  if (file != NULL) fclose(file);
  return kb;
}

/* Nothing is allocated while a host is left alone, and so nothing was collected either. */
static void an_idle_host_keeps_no_garbage(void) {
  enum { EVENTS = 300, TEXT = 60000, TRIES = 6000, LEFT_KB = 8192 };
  static char data[TEXT + 3];
  session_t *session;
  char *json = NULL;
  long before, busy, idle = 0;
  int i;
  start();
  session = create(NULL, NULL);
  memset(data, 'x', sizeof data - 1);
  data[0] = data[TEXT + 1] = '"';
  before = own_memory_kb();
  for (i = 0; i < EVENTS; ++i)
    CHECK_OK(session_append_event(session, "t", data, TEXT + 2, SESSION_APPEND_RELAXED, NULL));
  for (i = 0; i < EVENTS; i += 10) {
    CHECK_OK(session_read_events(session, (uint64_t)i, 10, &json, NULL));
    session_string_free(json);
  }
  CHECK_OK(append_text(session, "t", "{}", NULL)); /* at rest is a store after its last commit */
  busy = own_memory_kb();
  for (i = 0; i < TRIES; ++i) {
    idle = own_memory_kb();
    if (IS_SANITIZED || idle <= before + LEFT_KB) break;
    usleep(100000);
  }
  if (!IS_SANITIZED && !CHECK(idle <= before + LEFT_KB))
    printf("    %ld KB, then %ld at work, and %ld left alone\n", before, busy, idle);
  CHECK_OK(session_destroy(session));
  stop();
}

int main(void) {
  RUN(signals_are_the_hosts);
  RUN(descriptors_are_closed_and_not_passed_on);
  RUN(opens_and_closes_leak_nothing);
  RUN(calls_need_256_kib_of_stack);
  RUN(threads_come_and_go);
  RUN(an_idle_host_keeps_no_garbage);
  return check_done("host");
}
