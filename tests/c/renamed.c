/* A machine that is called otherwise by now, in a namespace of its own: a container that was made
   anew on the same volume, a laptop that got another name. The lock of a holder that was killed
   under the former name keeps nobody out. */
#include "check.h"

#include <sched.h>
#include <signal.h>
#include <sys/wait.h>

#define NOT_ALLOWED 77

static char *folder;
static char id[256];

/* Takes the lock and says which session it is of, until it is killed. */
static void hold(int said) {
  session_store_t *store = NULL;
  session_t *session = NULL;
  NEED(session_store_open(folder, NULL, &store));
  NEED(session_create(store, NULL, NULL, &session));
  CHECK_OK(session_lock(session, SESSION_LOCK_TRY, NULL));
  CHECK_OK(append_text(session, "user_prompt", "{\"text\":\"one\"}", NULL));
  id_of(session, id, sizeof id);
  CHECK(write(said, id, sizeof id) == (ssize_t)sizeof id);
  for (;;) pause();
}

static session_status_t lock_at_once(session_t *session) {
  return session_lock(session, SESSION_LOCK_TRY, NULL);
}

static session_status_t wait_for_the_lock(session_t *session) {
  session_lock_options_t options = SESSION_INIT(session_lock_options_t);
  options.timeout_ms = 5000;
  return session_lock(session, SESSION_LOCK_WAIT, &options);
}

static session_status_t append(session_t *session) {
  return append_text(session, "user_prompt", "{\"text\":\"two\"}", NULL);
}

static void go_on(session_status_t (*first)(session_t *session)) {
  session_store_t *store = NULL;
  session_t *session = NULL;
  NEED(session_store_open(folder, NULL, &store));
  NEED(session_open(store, id, &session));
  CHECK_OK(first(session));
  CHECK_OK(append(session));
  CHECK_OK(session_destroy(session));
  CHECK_OK(session_store_close(store));
}

static int end_of(pid_t child) {
  int status = -1;
  CHECK(child > 0 && waitpid(child, &status, 0) == child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void kill_under_another_name(session_status_t (*first)(session_t *session)) {
  int said[2];
  pid_t child;
  folder = folder_make();
  if (!CHECK(pipe(said) == 0)) return;
  fflush(stdout);
  child = fork();
  if (child == 0) {
    hold(said[1]);
    _exit(1);
  }
  close(said[1]);
  CHECK(read(said[0], id, sizeof id) == (ssize_t)sizeof id);
  close(said[0]);
  CHECK(kill(child, SIGKILL) == 0);
  CHECK_INT(-1, end_of(child));
  child = fork();
  if (child == 0) {
    check_failed_ = 0;
    CHECK(unshare(CLONE_NEWUTS) == 0 && sethostname("elsewhere", 9) == 0);
    go_on(first);
    fflush(stdout);
    _exit(check_failed_ != 0);
  }
  CHECK_INT(0, end_of(child));
  folder_remove(folder);
}

static void a_lock_is_had_at_once(void) { kill_under_another_name(lock_at_once); }
static void a_lock_is_had_by_waiting(void) { kill_under_another_name(wait_for_the_lock); }
static void a_plain_append_works(void) { kill_under_another_name(append); }

int main(void) {
  pid_t child;
  fflush(stdout);
  child = fork();
  if (child == 0) {
    _exit(unshare(CLONE_NEWUTS) == 0 && sethostname("elsewhere", 9) == 0 ? 0 : NOT_ALLOWED);
  }
  if (end_of(child) == NOT_ALLOWED) {
    printf("renamed: not run, this machine allows no host name of its own\n");
    return check_done("renamed");
  }
  RUN(a_lock_is_had_at_once);
  RUN(a_lock_is_had_by_waiting);
  RUN(a_plain_append_works);
  return check_done("renamed");
}
