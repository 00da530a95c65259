/* Two processes on one store, which appends, aborts and deletes cross. */
#include "processes.h"

#include <pthread.h>

#define ROUNDS 200

/* ---- the second process --------------------------------------------------------------------- */

static void second_appends(void) {
  int i;
  say('r');
  for (i = 0; i < ROUNDS; ++i) {
    CHECK_OK(append_text(second, "agent_message", "{\"by\":\"second\"}", NULL));
  }
  CHECK_OK(session_update_title(second, "from the second"));
}

static void second_waits(void) {
  say('r');
  CHECK_OK(session_wait_abort(second, GUARD_MS));
}

static void second_deletes(void) {
  CHECK_OK(session_delete(second, SESSION_DELETE_CASCADE));
}

/* Appends for ever, saying each number only once it is acknowledged. */
static void second_appends_until_killed(void) {
  for (;;) {
    uint64_t seq = 0;
    if (!CHECK_OK(append_text(second, "t", "{\"by\":\"second\"}", &seq))) return;
    if (write(STDOUT_FILENO, &seq, sizeof seq) != (ssize_t)sizeof seq) return; /* nobody reads */
  }
}

static void *append_for_ever(void *unused) {
  for (;;) {
    if (!CHECK_OK(append_text(second, "t", "{\"by\":\"second\"}", NULL))) return unused;
  }
}

/* Holds the session's lock, and forks while a thread of it is inside commits. The child calls
   nothing of the library; it lives until it is killed, or a guard's time is over. The child says its
   number itself: only once it runs has it closed what it inherited. */
static void second_forks_at_work(void) {
  pthread_t thread;
  CHECK_OK(session_lock(second, SESSION_LOCK_TRY, NULL));
  if (!CHECK(pthread_create(&thread, NULL, append_for_ever, NULL) == 0)) return;
  if (fork() == 0) {
    pid_t own = getpid();
    alarm(GUARD_MS / 1000);
    if (write(STDOUT_FILENO, &own, sizeof own) != (ssize_t)sizeof own) _exit(1);
    for (;;) pause();
  }
  pthread_join(thread, NULL);
}

static int second_main(const char *role, const char *path, const char *id) {
  if (!open_second(path, id)) return 1;
  if (strcmp(role, "appends") == 0) second_appends();
  if (strcmp(role, "waits") == 0) second_waits();
  if (strcmp(role, "deletes") == 0) second_deletes();
  if (strcmp(role, "appends-until-killed") == 0) second_appends_until_killed();
  if (strcmp(role, "forks-at-work") == 0) second_forks_at_work();
  return close_second();
}

/* ---- the first ------------------------------------------------------------------------------ */

static void both_append(void) {
  session_t *session;
  session_stat_t stat = SESSION_INIT(session_stat_t);
  process_t process;
  char id[160];
  char *json = NULL;
  uint64_t after = 0;
  uint64_t expected = 1;
  uint64_t last = 0;
  int i;

  start();
  session = create(NULL, NULL);
  id_of(session, id, sizeof id);
  process = process_start("appends", id);
  process_await_ready(&process);
  for (i = 0; i < ROUNDS; ++i) {
    uint64_t seq = 0;
    CHECK_OK(append_text(session, "user_prompt", "{\"by\":\"first\"}", &seq));
    CHECK(seq > last);
    last = seq;
  }
  process_end(&process);
  CHECK_INFO(session, "\"title\":\"from the second\"");
  CHECK_OK(session_get_stat(session, &stat));
  CHECK_INT(2 * ROUNDS, stat.last_seq);
  CHECK_INT(2 * ROUNDS, stat.message_count);
  while (expected <= 2 * ROUNDS) {
    const char *place;
    uint64_t before = expected;
    CHECK_OK(session_read_events(session, after, 0, &json, NULL));
    for (place = json; (place = json_after(place, "seq")) != NULL;) {
      CHECK_INT(expected, strtoll(place, NULL, 10));
      ++expected;
    }
    after = (uint64_t)json_number(json, "next_after_seq");
    session_string_free(json);
    json = NULL;
    if (!CHECK(expected > before)) break;
  }
  CHECK_OK(session_store_verify(store, &json, NULL));
  CHECK_HAS(json, "\"ok\":true");
  session_string_free(json);
  CHECK_OK(session_destroy(session));
  stop();
}

static void an_abort_crosses(void) {
  session_t *session;
  process_t process;
  char id[160];

  start();
  session = create(NULL, NULL);
  id_of(session, id, sizeof id);
  process = process_start("waits", id);
  process_await_ready(&process);
  CHECK_OK(session_abort(session, "from the first"));
  process_end(&process);
  CHECK_OK(session_destroy(session));
  stop();
}

static void a_delete_crosses(void) {
  session_t *session;
  process_t process;
  char id[160];

  start();
  session = create(NULL, NULL);
  id_of(session, id, sizeof id);
  process = process_start("deletes", id);
  CHECK_STATUS(SESSION_E_DELETED, session_wait_abort(session, GUARD_MS));
  process_end(&process);
  CHECK_STATUS(SESSION_E_DELETED, session_update_title(session, "x"));
  CHECK_STATUS(SESSION_E_DELETED, open_status(id));
  CHECK_OK(session_restore(store, id));
  CHECK_OK(open_status(id));
  CHECK_OK(session_destroy(session));
  stop();
}

/* Killed at a random place in its work: all that it was told is saved is there, the numbers are
   dense, and this process goes on at once. */
static void the_second_is_killed(void) {
  session_t *session;
  char id[160];
  int times;

  start();
  session = create(NULL, NULL);
  id_of(session, id, sizeof id);
  for (times = 0; times < 5; ++times) {
    process_t process = process_start("appends-until-killed", id);
    session_stat_t stat = SESSION_INIT(session_stat_t);
    uint64_t acknowledged = 0;
    uint64_t seq = 0;
    int count = 0;
    int status = 0;
    char *json = NULL;
    while (count < 20 + 13 * times &&
           read(process.pipe, &seq, sizeof seq) == (ssize_t)sizeof seq) {
      acknowledged = seq;
      ++count;
    }
    CHECK_INT(20 + 13 * times, count);
    CHECK(kill(process.id, SIGKILL) == 0);
    while (read(process.pipe, &seq, sizeof seq) == (ssize_t)sizeof seq) acknowledged = seq;
    close(process.pipe);
    CHECK(waitpid(process.id, &status, 0) == process.id);
    CHECK(WIFSIGNALED(status));

    CHECK_OK(append_text(session, "t", "{\"by\":\"first\"}", &seq));
    CHECK(seq > acknowledged && seq <= acknowledged + 2); /* at most one was not acknowledged */
    CHECK_OK(session_get_stat(session, &stat));
    CHECK_INT(seq, stat.last_seq);
    CHECK_INT(seq, stat.event_count);
    CHECK_OK(session_store_verify(store, &json, NULL));
    CHECK_HAS(json, "\"ok\":true");
    session_string_free(json);
  }
  CHECK_OK(session_destroy(session));
  stop();
}

/* A killed holder's child has inherited its descriptors, and with them its locks: were they still
   open there, nobody could commit, and nobody be alone, as long as the child lives. */
static void a_killed_holders_child_holds_nothing(void) {
  session_t *session;
  char id[160];
  int times;

  start();
  session = create(NULL, NULL);
  id_of(session, id, sizeof id);
  for (times = 0; times < 5; ++times) {
    process_t process = process_start("forks-at-work", id);
    pid_t child = -1;
    int status = 0;
    char *json = NULL;
    CHECK(read(process.pipe, &child, sizeof child) == (ssize_t)sizeof child);
    CHECK(kill(process.id, SIGKILL) == 0);
    CHECK(waitpid(process.id, &status, 0) == process.id);
    CHECK(WIFSIGNALED(status));

    CHECK_OK(append_text(session, "t", "{\"by\":\"first\"}", NULL));
    CHECK_OK(session_destroy(session));
    CHECK_OK(session_store_close(store));
    CHECK_OK(session_store_salvage(folder, NULL, &json, NULL)); /* needs the store to itself */
    session_string_free(json);
    json = NULL;
    CHECK_OK(session_store_open(folder, NULL, &store));
    NEED(session_open(store, id, &session));
    CHECK_OK(append_text(session, "t", "{\"by\":\"first\"}", NULL));
    CHECK_OK(session_store_verify(store, &json, NULL));
    CHECK_HAS(json, "\"ok\":true");
    session_string_free(json);
    CHECK(child > 0 && kill(child, SIGKILL) == 0); /* it lived all along */
    close(process.pipe);
  }
  CHECK_OK(session_destroy(session));
  stop();
}

int main(int count, char **arguments) {
  if (count == 4) return second_main(arguments[1], arguments[2], arguments[3]);
  processes_begin(arguments);
  RUN(both_append);
  RUN(an_abort_crosses);
  RUN(a_delete_crosses);
  RUN(the_second_is_killed);
  RUN(a_killed_holders_child_holds_nothing);
  return check_done("twoprocs");
}
