/* A sandbox, or a file system that is on no list, refuses one of the calls that a store can do
   without, with any error that means no: from the start, and from the middle of a life on. Nothing
   is refused or lost for that, and of several programs that make one store at once, one does. */
#include "check.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define ANY (-1)
#define MAKERS 4
#define ERRORS_MAX 6
#define OPENAT2 437 /* the same on every architecture */
#define EXCHANGE 2u /* RENAME_EXCHANGE */
#define SET_LEASE 1024u

/* A call, and the value of one argument where only that is refused. */
typedef struct call {
  const char *name;
  uint32_t number;
  int argument;
  uint32_t value;
  int errors[ERRORS_MAX];
} call_t;

static const call_t calls[] = {
    {"linkat", SYS_linkat, ANY, 0, {EPERM, EOPNOTSUPP, ENOSYS, EACCES, EMLINK, EXDEV}},
    {"renameat2 that exchanges",
     SYS_renameat2,
     4,
     EXCHANGE,
     {EINVAL, ENOSYS, EPERM, EACCES, EOPNOTSUPP, 0}},
    {"fcntl of a lease", SYS_fcntl, 1, SET_LEASE, {EINVAL, EACCES, EPERM, ENOSYS, EOPNOTSUPP, 0}},
    {"fallocate", SYS_fallocate, ANY, 0, {EOPNOTSUPP, ENOSYS, EPERM, EINVAL, EACCES, 0}},
    {"openat2", OPENAT2, ANY, 0, {ENOSYS, EPERM, EACCES, 0, 0, 0}},
};
#define CALLS ((int)(sizeof calls / sizeof calls[0]))
#define CALLS_IN_THE_MIDDLE (CALLS - 1) /* whether there is openat2 is asked once */

static char *folder;

/* All threads of the process, those of the library with them. */
static int refuse(const call_t *call, int error) {
  size_t low = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? 0 : 4;
  size_t at = offsetof(struct seccomp_data, args) + low +
              8u * (size_t)(call->argument == ANY ? 0 : call->argument);
  struct sock_filter steps[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)offsetof(struct seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call->number, 0, 3),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)at),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call->value, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (uint32_t)error),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  struct sock_fprog program = {6, steps};
  if (call->argument == ANY) { /* the number alone decides */
    struct sock_filter number = BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0u);
    struct sock_filter same = BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call->number, 0, 1);
    steps[2] = number;
    steps[3] = same;
  }
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program) == 0;
}

/* Runs in a child that has not called the library yet; false where anything of it failed. */
static int in_child(void (*run)(const call_t *call, int error), const call_t *call, int error) {
  int status = -1;
  pid_t child;
  fflush(stdout);
  child = fork();
  if (child == 0) {
    check_failed_ = 0;
    run(call, error);
    fflush(stdout);
    _exit(check_failed_ != 0);
  }
  return child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status) &&
         WEXITSTATUS(status) == 0;
}

/* ---- a life ---------------------------------------------------------------------------------- */

static void say(session_t *session, int number) {
  char data[64];
  snprintf(data, sizeof data, "{\"text\":\"prompt %d\"}", number);
  CHECK_OK(append_text(session, "user_prompt", data, NULL));
}

static void put(session_t *session, const char *content) {
  char *json = NULL;
  CHECK_OK(session_put_file(session, "a.txt", content, strlen(content), &json, NULL));
  session_string_free(json);
}

static void branch(session_t *session, const char *title) {
  session_t *made = NULL;
  NEED(session_fork(session, 0, NULL, &made));
  CHECK_OK(session_update_title(made, title));
  CHECK_OK(session_destroy(made));
}

static void verify(session_store_t *store) {
  char *json = NULL;
  CHECK_OK(session_store_verify(store, &json, NULL));
  CHECK_HAS(json, "\"ok\":true");
  session_string_free(json);
}

static void expect_events(session_store_t *store, const char *title, const char *first,
                          const char *last, const char *absent) {
  session_t *session = NULL;
  char *json = NULL;
  char id[256];
  const char *at;
  CHECK_OK(session_list(store, NULL, &json, NULL, NULL));
  at = json == NULL ? NULL : strstr(json, title);
  for (; at != NULL && at > json && strncmp(at, "{\"id\":", 6) != 0; --at) {
  }
  json_string(at, "id", id, sizeof id);
  session_string_free(json);
  NEED(session_open(store, id, &session));
  json = NULL;
  CHECK_OK(session_read_events(session, 0, 0, &json, NULL));
  CHECK_HAS(json, first);
  CHECK_HAS(json, last);
  CHECK_LACKS(json, absent);
  session_string_free(json);
  CHECK_OK(session_destroy(session));
}

/* Two branches have all that was said before them, the session what its prune left. */
static void look(const call_t *call, int error) {
  session_store_t *store = NULL;
  (void)call;
  (void)error;
  NEED(session_store_open(folder, NULL, &store));
  verify(store);
  expect_events(store, "\"title\":\"first branch\"", "prompt 1", "prompt 5", "prompt 6");
  expect_events(store, "\"title\":\"second branch\"", "prompt 1", "prompt 6", "prompt 7");
  expect_events(store, "\"title\":\"the second title\"", "prompt 5", "prompt 7", "prompt 4");
  CHECK_OK(session_store_close(store));
}

static void begin(session_store_t **store, session_t **session) {
  int i;
  NEED(session_store_open(folder, NULL, store));
  NEED(session_create(*store, NULL, NULL, session));
  for (i = 1; i <= 5; ++i) say(*session, i);
  put(*session, "one file");
  branch(*session, "first branch");
}

static void end(session_store_t *store, session_t *session) {
  char *json = NULL;
  say(session, 6);
  put(session, "one file");
  put(session, "another file");
  branch(session, "second branch");
  CHECK_OK(session_update_title(session, "the first title"));
  CHECK_OK(session_update_title(session, "the second title"));
  CHECK_OK(session_prune(session, "{\"max_events\":2,\"trash\":true}", &json, NULL));
  session_string_free(json);
  say(session, 7);
  CHECK_OK(session_store_flush(store));
  CHECK_OK(session_destroy(session));
  CHECK_OK(session_store_close(store));
  look(NULL, 0);
}

static void live_from_the_start(const call_t *call, int error) {
  session_store_t *store = NULL;
  session_t *session = NULL;
  if (!CHECK(refuse(call, error))) return;
  begin(&store, &session);
  if (session != NULL) end(store, session);
}

static void live_from_the_middle(const call_t *call, int error) {
  session_store_t *store = NULL;
  session_t *session = NULL;
  begin(&store, &session);
  if (session != NULL && CHECK(refuse(call, error))) end(store, session);
}

static void each(int count, void (*live)(const call_t *call, int error), const char *when) {
  int i, j;
  for (i = 0; i < count; ++i) {
    for (j = 0; j < ERRORS_MAX && calls[i].errors[j] != 0; ++j) {
      folder = folder_make();
      if (!CHECK(in_child(live, &calls[i], calls[i].errors[j]) &&
                 in_child(look, &calls[i], 0))) {
        printf("    %s answers \"%s\" %s\n", calls[i].name, strerror(calls[i].errors[j]), when);
      }
      folder_remove(folder);
    }
  }
}

static void a_call_that_is_refused_from_the_start(void) {
  each(CALLS, live_from_the_start, "from the start");
}

static void a_call_that_is_refused_in_the_middle_of_a_life(void) {
  each(CALLS_IN_THE_MIDDLE, live_from_the_middle, "from the middle on");
}

/* ---- at once --------------------------------------------------------------------------------- */

static int gate[2]; /* its end lets all go */
static int told[2];

static void make(const call_t *call, int error) {
  session_store_t *store = NULL;
  char *json = NULL;
  char id[20] = "";
  char letter;
  close(gate[1]);
  if (!CHECK(refuse(call, error))) return;
  CHECK(read(gate[0], &letter, 1) == 0);
  NEED(session_store_open(folder, NULL, &store));
  CHECK_OK(session_store_get_info(store, &json, NULL));
  json_string(json, "store_id", id, sizeof id);
  CHECK(write(told[1], id, sizeof id) == (ssize_t)sizeof id);
  session_string_free(json);
  CHECK_OK(session_store_close(store));
}

static void makers_where_links_are_refused_make_one_store(void) {
  char ids[MAKERS][20];
  int status, i;
  folder = folder_make();
  CHECK(rmdir(folder) == 0); /* the first of them makes that, too */
  if (!CHECK(pipe(gate) == 0 && pipe(told) == 0)) return;
  for (i = 0; i < MAKERS; ++i) {
    fflush(stdout);
    if (fork() == 0) {
      check_failed_ = 0;
      make(&calls[0], EPERM);
      fflush(stdout);
      _exit(check_failed_ != 0);
    }
  }
  close(gate[0]);
  close(gate[1]);
  for (i = 0; i < MAKERS; ++i) {
    CHECK(wait(&status) > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0);
  }
  close(told[1]);
  for (i = 0; i < MAKERS; ++i) {
    if (!CHECK(read(told[0], ids[i], sizeof ids[i]) == (ssize_t)sizeof ids[i])) break;
    CHECK_STR(ids[0], ids[i]);
    CHECK(strncmp(ids[i], "st_", 3) == 0);
  }
  close(told[0]);
  folder_remove(folder);
}

static void try_the_filter(const call_t *call, int error) {
  check_failed_ = !refuse(call, error) || linkat(AT_FDCWD, "/", AT_FDCWD, "/", 0) != -1 ||
                  errno != error;
}

int main(void) {
  if (!in_child(try_the_filter, &calls[0], EMLINK)) {
    printf("refused: not run, this machine allows no filter of calls\n");
    return check_done("refused");
  }
  RUN(a_call_that_is_refused_from_the_start);
  RUN(a_call_that_is_refused_in_the_middle_of_a_life);
  RUN(makers_where_links_are_refused_make_one_store);
  return check_done("refused");
}
