/* A process that works with a store that a stranger made, as whoever it is told to be:

     host UID seed STORE ROLES closed|killed     makes the store that the tests then harm
     host UID PHASE... STORE ROLES               read, write, salvage, beside; each waits for a line
     host UID over ROUNDS STORE                  opens, works, closes, again and again
     host UID swap FOLDER NAME TARGET            puts a link in the place of NAME and takes it back,
                                                 until its input ends
     host UID deep FOLDER COUNT                  makes a folder in a folder in a folder

   A phase with a + behind it opens with SESSION_STORE_SHARED_OWNERS. UID -1 is whoever runs it. */
#include "steps.h"

#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

/* Behind the largest hole that the tests make one may still write, and no file grows without end. */
#define FILE_BYTES_MAX (INT64_C(2) << 40)

#ifndef SESSION_STORE_SHARED_OWNERS
#define SESSION_STORE_SHARED_OWNERS 0u
#endif

static void become(uid_t user) {
  struct rlimit limit = {FILE_BYTES_MAX, FILE_BYTES_MAX};
  signal(SIGXFSZ, SIG_IGN);
  if (setrlimit(RLIMIT_FSIZE, &limit) != 0) {
    perror("setrlimit");
    exit(2);
  }
  if (user == (uid_t)-1) {
    return;
  }
  if (setgroups(0, NULL) != 0 || setresgid(user, user, user) != 0 ||
      setresuid(user, user, user) != 0 || prctl(PR_SET_DUMPABLE, 1) != 0) {
    perror("setresuid");
    exit(2);
  }
}

static int seed(const char *path, const char *list, int is_killed) {
  static struct roles roles;
  session_store_t *store;
  if (session_store_open(path, NULL, &store) != SESSION_OK || seed_make(store, &roles) != 0 ||
      roles_write(&roles, list) != 0) {
    fprintf(stderr, "no seed: %s\n", session_last_error()->message);
    return 2;
  }
  if (is_killed) {
    raise(SIGKILL);
  }
  return session_store_close(store) == SESSION_OK ? 0 : 2;
}

static int is_phase(const char *word, const char *phase, uint32_t *flags) {
  size_t length = strlen(phase);
  *flags = word[0] != '\0' && word[strlen(word) - 1] == '+' ? SESSION_STORE_SHARED_OWNERS : 0u;
  return strncmp(word, phase, length) == 0 && (word[length] == '\0' || word[length] == '+');
}

static int phases(int count, char **words, const char *path, const char *list) {
  static struct roles roles;
  uint32_t flags;
  int i;
  if (roles_read(&roles, list) != 0) {
    perror(list);
    return 2;
  }
  for (i = 0; i < count && await_word(); ++i) {
    steps_begin(words[i]);
    if (is_phase(words[i], "read", &flags)) {
      use_to_read(path, &roles, flags);
    } else if (is_phase(words[i], "write", &flags)) {
      use_to_write(path, &roles, flags);
    } else if (is_phase(words[i], "salvage", &flags)) {
      use_after_salvage(path, &roles, flags);
    } else if (is_phase(words[i], "beside", &flags)) {
      use_beside(path, &roles, flags);
    } else {
      return 2;
    }
    steps_end();
  }
  return session_shutdown(5000) == SESSION_OK ? 0 : 2;
}

/* The tightest loop there is. Where the owner is too fast for one of the moves, the next one comes. */
static int swap(const char *folder, const char *name, const char *target) {
  struct pollfd input = {STDIN_FILENO, POLLIN, 0};
  int at = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
  long swapped = 0;
  char link_name[300];
  snprintf(link_name, sizeof link_name, "%s.link", name);
  if (at < 0 || symlinkat(target, at, link_name) != 0) {
    perror(folder);
    return 2;
  }
  printf("swapping\n");
  fflush(stdout);
  while (poll(&input, 1, 0) == 0) {
    swapped += renameat2(at, link_name, at, name, RENAME_EXCHANGE) == 0;
    renameat2(at, name, at, link_name, RENAME_EXCHANGE);
  }
  if (swapped % 2 != 0) { /* not to be relied on; the test looks which one is where */
    printf("odd\n");
  }
  printf("swapped %ld\n", swapped);
  return 0;
}

/* A folder in a folder and so on, so many, which no path can lead to. */
static int deep(const char *path, int folders) {
  int at = AT_FDCWD;
  int i;
  for (i = 0; i < folders; ++i) {
    const char *name = i == 0 ? path : "deep";
    int inner;
    if (mkdirat(at, name, 0700) != 0 || (inner = openat(at, name, O_PATH | O_CLOEXEC)) < 0) {
      perror(name);
      return 2;
    }
    if (at != AT_FDCWD) {
      close(at);
    }
    at = inner;
  }
  close(at);
  return 0;
}

int main(int count, char **words) {
  if (count < 5) {
    fprintf(stderr, "usage: host UID seed|PHASE...|over|swap ...\n");
    return 2;
  }
  become((uid_t)strtol(words[1], NULL, 10));
  if (strcmp(words[2], "seed") == 0 && count == 6) {
    return seed(words[3], words[4], strcmp(words[5], "killed") == 0);
  }
  if (strcmp(words[2], "swap") == 0 && count == 6) {
    return swap(words[3], words[4], words[5]);
  }
  if (strcmp(words[2], "deep") == 0) {
    return deep(words[3], atoi(words[4]));
  }
  if (strcmp(words[2], "over") == 0) {
    steps_begin("over");
    use_over_and_over(words[4], count == 6 ? SESSION_STORE_SHARED_OWNERS : 0u, atoi(words[3]));
    steps_end();
    return session_shutdown(5000) == SESSION_OK ? 0 : 2;
  }
  return phases(count - 4, words + 2, words[count - 2], words[count - 1]);
}
