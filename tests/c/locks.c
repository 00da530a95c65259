/* The lock of a session: who gets it, who is refused, what becomes of the one who lost it, and how it
   ends with handles, stores and processes. */
#include "processes.h"
#include "threads.h"

/* ---- the second process --------------------------------------------------------------------- */

static void second_holds(void) {
  CHECK_OK(session_lock(second, SESSION_LOCK_TRY, NULL));
  CHECK_OK(session_set_activity(second, "processing", "holding on"));
  say('r');
  for (;;) pause(); /* until it is killed */
}

/* Takes the lock, is stopped, and goes on when another one has it. */
static void second_is_stopped(void) {
  CHECK_OK(session_lock(second, SESSION_LOCK_TRY, NULL));
  CHECK_OK(session_set_activity(second, "processing", NULL));
  CHECK_OK(session_store_flush(store)); /* so that nothing of it is inside a commit */
  raise(SIGSTOP);
  CHECK_STATUS(SESSION_E_LOCK_LOST, append_text(second, "t", "{\"by\":\"the former\"}", NULL));
  CHECK_STATUS(SESSION_E_LOCK_LOST, session_rewind(second, 0));
  CHECK_STATUS(SESSION_E_LOCK_LOST, session_set_activity(second, "idle", NULL));
  CHECK_OK(session_update_title(second, "is no write of the conversation"));
  CHECK_STATUS(SESSION_E_LOCK_LOST, session_unlock(second));
  CHECK_OK(session_unlock(second)); /* forgotten */
  CHECK_STATUS(SESSION_E_LOCKED, append_text(second, "t", "{\"by\":\"the former\"}", NULL));
}

static int second_main(const char *role, const char *path, const char *id) {
  alarm(GUARD_MS / 1000);
  if (!open_second(path, id)) return 1;
  if (strcmp(role, "holds") == 0) second_holds();
  if (strcmp(role, "is-stopped") == 0) second_is_stopped();
  return close_second();
}

/* ---- the first ------------------------------------------------------------------------------ */

static char *status_of(session_t *session) {
  char *json = NULL;
  size_t length = 0;
  CHECK_OK(session_lock_status(session, &json, &length));
  CHECK_INT(length, json == NULL ? 0 : strlen(json));
  return json;
}

#define CHECK_LOCK(session, part) \
  do { \
    char *status_ = status_of(session); \
    CHECK_HAS(status_, part); \
    session_string_free(status_); \
  } while (0)

static session_t *open_again(const char *id) {
  session_t *session = NULL;
  CHECK_OK(session_open(store, id, &session));
  return session;
}

static void one_owner_at_a_time(void) {
  session_stat_t stat = SESSION_INIT(session_stat_t);
  session_t *first;
  session_t *other;
  session_stream_t *stream = NULL;
  char *json = NULL;
  char id[160];
  uint32_t count = 7;

  start();
  first = create(NULL, NULL);
  id_of(first, id, sizeof id);
  other = open_again(id);
  CHECK_LOCK(other, "{\"is_locked\":false,\"is_mine\":false,");
  CHECK_LOCK(other, "\"holder\":null,");
  CHECK_OK(session_unlock(other)); /* idempotent */
  CHECK_STATUS(SESSION_E_INVALID_TRANSITION, session_set_activity(other, "idle", NULL));
  CHECK_OK(append_text(other, "t", "{}", NULL)); /* nobody holds it, so anybody writes */

  CHECK_OK(session_lock(first, SESSION_LOCK_TRY, NULL));
  CHECK_OK(session_lock(first, SESSION_LOCK_TRY, NULL)); /* has it */
  CHECK_OK(session_active_lock_count(store, &count));
  CHECK_INT(1, count);
  CHECK_OK(session_get_stat(other, &stat));
  CHECK((stat.flags & SESSION_STAT_LOCKED) != 0);
  CHECK_LOCK(first, "{\"is_locked\":true,\"is_mine\":true,\"is_stale\":false,");
  CHECK_LOCK(other, "{\"is_locked\":true,\"is_mine\":false,\"is_stale\":false,");
  CHECK_LOCK(other, "\"status\":\"idle\"");

  CHECK_STATUS(SESSION_E_LOCKED, session_lock(other, SESSION_LOCK_TRY, NULL));
  CHECK_DETAILS("{\"holder\":{\"pid\":");
  CHECK_DETAILS("\"client_type\":\"unknown\",\"status\":\"idle\"}");
  CHECK_STATUS(SESSION_E_LOCKED, append_text(other, "t", "{}", NULL));
  CHECK_STATUS(SESSION_E_LOCKED, session_append_events(other, "[{\"type\":\"t\",\"data\":1}]", 23, 0,
                                                       &json, NULL));
  CHECK_STATUS(SESSION_E_LOCKED, session_stream_begin(other, "t", NULL, &stream));
  CHECK_STATUS(SESSION_E_LOCKED, session_rewind(other, 0));
  CHECK_STATUS(SESSION_E_LOCKED, session_repair(other, 0, &json, NULL));
  CHECK_STATUS(SESSION_E_LOCKED, session_prune(other, "{\"max_events\":1}", &json, NULL));
  CHECK_STATUS(SESSION_E_LOCKED, session_set_activity(other, "idle", NULL));
  CHECK(json == NULL && stream == NULL);
  CHECK_OK(session_update_title(other, "free"));
  CHECK_OK(session_update_metadata(other, "{\"free\":true}"));
  CHECK_OK(session_queue_add(other, "{\"message\":\"free\"}", 18, &json, NULL));
  session_string_free(json);
  CHECK_OK(session_abort(other, "free"));
  CHECK_OK(session_clear_abort(other));
  CHECK_OK(session_unlock(other)); /* of no meaning to the holder */
  CHECK_OK(append_text(first, "t", "{}", NULL));

  CHECK_OK(session_unlock(first));
  CHECK_OK(session_unlock(first));
  CHECK_OK(session_active_lock_count(store, &count));
  CHECK_INT(0, count);
  CHECK_OK(session_get_stat(other, &stat));
  CHECK((stat.flags & SESSION_STAT_LOCKED) == 0);
  CHECK_OK(append_text(other, "t", "{}", NULL));
  CHECK_OK(session_lock(other, SESSION_LOCK_TRY, NULL));
  CHECK_LOCK(first, "\"is_locked\":true,\"is_mine\":false");
  CHECK_OK(session_destroy(other));
  CHECK_OK(session_destroy(first));
  stop();
}

static void bad_input(void) {
  session_lock_options_t how = SESSION_INIT(session_lock_options_t);
  session_share_options_t live = SESSION_INIT(session_share_options_t);
  session_t *session;
  session_t *view = NULL;
  char invalid[] = "a\xFF";
  char *json = NULL;
  char *message;
  char secret[128];

  start();
  session = create(NULL, NULL);
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, session_lock(session, 4, NULL));
  CHECK_DETAILS("{\"argument\":\"mode\"}");
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, session_lock(session, -1, NULL));
  how.message = invalid;
  CHECK_STATUS(SESSION_E_INVALID_UTF8, session_lock(session, SESSION_LOCK_TRY, &how));
  message = text_of('m', 4097);
  how.message = message;
  CHECK_STATUS(SESSION_E_LIMIT, session_lock(session, SESSION_LOCK_TRY, &how));
  CHECK_LOCK(session, "\"is_locked\":false");

  CHECK_OK(session_lock(session, SESSION_LOCK_TRY, NULL));
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, session_set_activity(session, "busy", NULL));
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, session_set_activity(session, "", NULL));
  CHECK_STATUS(SESSION_E_LIMIT, session_set_activity(session, "idle", message));
  free(message);
  CHECK_STATUS(SESSION_E_NOT_FOUND, session_lock_answer(session, "lr_1", 1));
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, session_lock_answer(session, "lr_1", 2));
  CHECK_DETAILS("{\"argument\":\"accept\"}");
  CHECK_OK(session_set_activity(session, "processing", "a \"word\""));
  CHECK_LOCK(session, "\"status\":\"processing\",\"status_message\":\"a \\\"word\\\"\"}");

  live.flags = SESSION_SHARE_LIVE;
  CHECK_OK(session_create_share(session, &live, &json, NULL));
  NEED(session_resolve_share(store, json_string(json, "secret", secret, sizeof secret), &view));
  session_string_free(json);
  CHECK_STATUS(SESSION_E_ACCESS_DENIED, session_lock(view, SESSION_LOCK_INTERRUPT, NULL));
  CHECK_DETAILS("{\"rule\":\"share.read_only\"}");
  CHECK_STATUS(SESSION_E_ACCESS_DENIED, session_lock_status(view, &json, NULL));
  CHECK_OK(session_destroy(view));
  CHECK_OK(session_destroy(session));
  stop();
}

static void force_and_interrupt(void) {
  session_t *former;
  session_t *taker;
  char id[160];

  start();
  former = create(NULL, NULL);
  id_of(former, id, sizeof id);
  taker = open_again(id);
  CHECK_OK(session_lock(former, SESSION_LOCK_FORCE, NULL)); /* nobody is there */
  CHECK_OK(session_set_activity(former, "processing", NULL));
  CHECK_LOCK(taker, "\"can_force\":false,\"can_interrupt\":true,");
  CHECK_STATUS(SESSION_E_PROCESSING, session_lock(taker, SESSION_LOCK_FORCE, NULL));
  CHECK_DETAILS("\"status\":\"processing\"");
  CHECK_OK(session_set_activity(former, "waiting_for_permission", "rm -rf?"));
  CHECK_STATUS(SESSION_E_WAITING_PERMISSION, session_lock(taker, SESSION_LOCK_FORCE, NULL));
  CHECK_OK(append_text(former, "t", "{}", NULL)); /* it still has it */
  CHECK_OK(session_set_activity(former, "idle", NULL));
  CHECK_LOCK(taker, "\"can_force\":true,\"can_interrupt\":true,");
  CHECK_OK(session_lock(taker, SESSION_LOCK_FORCE, NULL));

  CHECK_STATUS(SESSION_E_LOCK_LOST, append_text(former, "t", "{}", NULL));
  CHECK_DETAILS(id);
  CHECK_STATUS(SESSION_E_LOCK_LOST, session_set_activity(former, "idle", NULL));
  CHECK_STATUS(SESSION_E_LOCK_LOST, session_lock_answer(former, "lr_1", 1));
  CHECK_STATUS(SESSION_E_LOCK_LOST, session_unlock(former));
  CHECK_LOCK(taker, "\"is_mine\":true");
  CHECK_STATUS(SESSION_E_LOCKED, append_text(former, "t", "{}", NULL)); /* as any other */

  CHECK_OK(session_set_activity(taker, "processing", NULL));
  CHECK_OK(session_lock(former, SESSION_LOCK_INTERRUPT, NULL)); /* back again */
  CHECK_STATUS(SESSION_E_LOCK_LOST, append_text(taker, "t", "{}", NULL));
  CHECK_OK(append_text(former, "t", "{}", NULL));
  CHECK_OK(session_destroy(taker)); /* that it lost the lock hurts nobody */
  CHECK_LOCK(former, "\"is_mine\":true");
  CHECK_OK(session_destroy(former));
  stop();
}

/* ---- waits ---------------------------------------------------------------------------------- */

typedef struct attempt {
  session_t *session;
  int32_t mode;
  uint32_t flags;
  uint32_t timeout_ms;
  session_status_t status;
  char details[512];
} attempt_t;

static void *attempt_lock(void *argument) {
  attempt_t *attempt = (attempt_t *)argument;
  session_lock_options_t how = SESSION_INIT(session_lock_options_t);
  how.flags = attempt->flags;
  how.timeout_ms = attempt->timeout_ms;
  how.message = "May I?";
  attempt->status = session_lock(attempt->session, attempt->mode, &how);
  snprintf(attempt->details, sizeof attempt->details, "%s", session_last_error()->details_json);
  return NULL;
}

static void waits(void) {
  session_lock_options_t soon = SESSION_INIT(session_lock_options_t);
  attempt_t attempt;
  threads_t threads = {{0}, 0};
  session_t *holder;
  char id[160];
  int round;

  start();
  holder = create(NULL, NULL);
  id_of(holder, id, sizeof id);
  memset(&attempt, 0, sizeof attempt);
  attempt.mode = SESSION_LOCK_WAIT;
  attempt.timeout_ms = SESSION_WAIT_FOREVER;
  CHECK_OK(session_lock(holder, SESSION_LOCK_TRY, NULL));

  attempt.session = open_again(id);
  CHECK_STATUS(SESSION_E_INVALID_HANDLE, session_unlock(NULL)); /* sets the error */
  soon.timeout_ms = 5;
  CHECK_INT(SESSION_E_TIMEOUT, session_lock(attempt.session, SESSION_LOCK_WAIT, &soon));
  CHECK_INT(SESSION_E_INVALID_HANDLE, session_last_error()->status); /* left alone */

  for (round = 0; round < 10; ++round) { /* be it there already or not */
    CHECK_OK(session_lock(holder, SESSION_LOCK_TRY, NULL));
    threads_start(&threads, attempt_lock, &attempt);
    if (round % 2 == 1) sched_yield();
    CHECK_OK(session_unlock(holder));
    threads_join(&threads);
    CHECK_OK(attempt.status);
    CHECK_LOCK(attempt.session, "\"is_mine\":true");
    CHECK_OK(session_unlock(attempt.session));
  }

  CHECK_OK(session_lock(holder, SESSION_LOCK_TRY, NULL));
  threads_start(&threads, attempt_lock, &attempt);
  CHECK_OK(session_destroy(holder)); /* lets go of it */
  threads_join(&threads);
  CHECK_OK(attempt.status);

  holder = attempt.session;
  attempt.session = open_again(id);
  threads_start(&threads, attempt_lock, &attempt);
  CHECK_OK(session_destroy(attempt.session));
  threads_join(&threads);
  CHECK(attempt.status == SESSION_E_CANCELLED || attempt.status == SESSION_E_INVALID_HANDLE);
  CHECK_LOCK(holder, "\"is_mine\":true");

  attempt.session = open_again(id);
  threads_start(&threads, attempt_lock, &attempt);
  CHECK_OK(session_delete(holder, SESSION_DELETE_CASCADE));
  threads_join(&threads);
  CHECK_INT(SESSION_E_DELETED, attempt.status);
  CHECK_OK(session_destroy(attempt.session));
  CHECK_OK(session_unlock(holder));
  CHECK_OK(session_destroy(holder));

  holder = create(NULL, NULL);
  id_of(holder, id, sizeof id);
  CHECK_OK(session_lock(holder, SESSION_LOCK_TRY, NULL));
  attempt.session = open_again(id);
  threads_start(&threads, attempt_lock, &attempt);
  CHECK_OK(session_store_close(store));
  threads_join(&threads);
  CHECK_INT(SESSION_E_CLOSED, attempt.status);
  CHECK_STATUS(SESSION_E_CLOSED, session_unlock(holder));
  CHECK_OK(session_destroy(attempt.session));
  CHECK_OK(session_destroy(holder));
  NEED(session_store_open(folder, NULL, &store));
  holder = open_again(id);
  CHECK_LOCK(holder, "\"is_locked\":false"); /* closing let go of it */
  CHECK_OK(session_destroy(holder));
  stop();
}

/* ---- asking --------------------------------------------------------------------------------- */

/* Waits until somebody has asked for the lock. */
static void await_request(session_t *session, char *request, size_t size) {
  char *json;
  do {
    sched_yield();
    json = status_of(session);
    json_string(strstr(json, "\"requests\":["), "request_id", request, size);
    if (request[0] != '\0') {
      CHECK_HAS(json, "\"message\":\"May I?\"");
      CHECK_HAS(json, "\"client_type\":\"unknown\"");
    }
    session_string_free(json);
  } while (request[0] == '\0');
}

static void a_holder_is_asked(void) {
  attempt_t attempt;
  threads_t threads = {{0}, 0};
  session_t *holder;
  char id[160];
  char request[128];

  start();
  holder = create(NULL, NULL);
  id_of(holder, id, sizeof id);
  memset(&attempt, 0, sizeof attempt);
  attempt.session = open_again(id);
  attempt.mode = SESSION_LOCK_TRY;
  attempt.flags = SESSION_LOCK_ASK;
  attempt.timeout_ms = SESSION_WAIT_FOREVER;
  CHECK_OK(session_lock(holder, SESSION_LOCK_TRY, NULL));

  threads_start(&threads, attempt_lock, &attempt);
  await_request(holder, request, sizeof request);
  CHECK_STATUS(SESSION_E_LOCKED, session_lock_answer(attempt.session, request, 1)); /* not its */
  CHECK_OK(session_lock_answer(holder, request, 0));
  threads_join(&threads);
  CHECK_INT(SESSION_E_LOCKED, attempt.status);
  CHECK_HAS(attempt.details, "\"refused\":true");
  CHECK_STATUS(SESSION_E_NOT_FOUND, session_lock_answer(holder, request, 0));
  CHECK_LOCK(holder, "\"is_mine\":true");

  threads_start(&threads, attempt_lock, &attempt);
  await_request(holder, request, sizeof request);
  CHECK_OK(session_lock_answer(holder, request, 1));
  threads_join(&threads);
  CHECK_OK(attempt.status);
  CHECK_LOCK(attempt.session, "\"is_mine\":true");
  CHECK_STATUS(SESSION_E_LOCKED, append_text(holder, "t", "{}", NULL)); /* given, not lost */
  CHECK_OK(session_unlock(attempt.session));

  CHECK_OK(session_lock(holder, SESSION_LOCK_TRY, NULL));
  CHECK_OK(session_set_activity(holder, "processing", NULL));
  attempt.timeout_ms = 5; /* nobody answers */
  attempt_lock(&attempt);
  CHECK_INT(SESSION_E_TIMEOUT, attempt.status);
  CHECK_LOCK(holder, "\"requests\":[]"); /* and nothing is left of it */
  attempt.mode = SESSION_LOCK_FORCE;
  attempt_lock(&attempt);
  CHECK_INT(SESSION_E_PROCESSING, attempt.status);
  attempt.mode = SESSION_LOCK_INTERRUPT;
  attempt_lock(&attempt);
  CHECK_OK(attempt.status);
  CHECK_STATUS(SESSION_E_LOCK_LOST, append_text(holder, "t", "{}", NULL));
  CHECK_OK(session_destroy(attempt.session));
  CHECK_OK(session_destroy(holder));
  stop();
}

/* ---- handles and stores --------------------------------------------------------------------- */

static void destroying_lets_go(void) {
  session_t *holder;
  session_t *next;
  char id[160];
  uint32_t count = 7;

  start();
  holder = create(NULL, NULL);
  id_of(holder, id, sizeof id);
  next = open_again(id);
  CHECK_OK(session_lock(holder, SESSION_LOCK_TRY, NULL));
  CHECK_OK(session_set_activity(holder, "processing", NULL));
  CHECK_STATUS(SESSION_E_LOCKED, session_lock(next, SESSION_LOCK_TRY, NULL));
  CHECK_OK(session_destroy(holder));
  CHECK_INT(SESSION_E_LOCKED, session_last_error()->status); /* left alone */
  CHECK_OK(session_lock(next, SESSION_LOCK_TRY, NULL));      /* at once, not by and by */
  CHECK_OK(session_active_lock_count(store, &count));
  CHECK_INT(1, count);
  CHECK_OK(session_destroy(next));
  CHECK_OK(session_active_lock_count(store, &count));
  CHECK_INT(0, count);
  stop();
}

static void all_of_a_store_are_released(void) {
  session_store_t *neighbour = NULL;
  session_t *sessions[4];
  session_t *theirs = NULL;
  char id[160];
  uint32_t count = 7;
  int i;

  start();
  NEED(session_store_open(folder, NULL, &neighbour));
  for (i = 0; i < 4; ++i) {
    sessions[i] = create(NULL, NULL);
    if (i > 0) CHECK_OK(session_lock(sessions[i], SESSION_LOCK_TRY, NULL));
  }
  id_of(sessions[0], id, sizeof id);
  NEED(session_open(neighbour, id, &theirs));
  CHECK_OK(session_lock(theirs, SESSION_LOCK_TRY, NULL));
  CHECK_OK(session_active_lock_count(store, &count));
  CHECK_INT(3, count);
  CHECK_OK(session_active_lock_count(neighbour, &count));
  CHECK_INT(1, count);
  CHECK_OK(session_active_lock_count(store, NULL));

  CHECK_OK(session_release_all_locks(store));
  CHECK_OK(session_release_all_locks(store)); /* fine where there are none */
  CHECK_OK(session_active_lock_count(store, &count));
  CHECK_INT(0, count);
  for (i = 1; i < 4; ++i) {
    CHECK_LOCK(sessions[i], "\"is_locked\":false");
    CHECK_OK(append_text(sessions[i], "t", "{}", NULL)); /* it was no loss */
  }
  CHECK_LOCK(theirs, "\"is_mine\":true"); /* two opens are two stores */
  CHECK_STATUS(SESSION_E_LOCKED, session_lock(sessions[0], SESSION_LOCK_TRY, NULL));
  CHECK_OK(session_store_close(neighbour));
  CHECK_OK(session_lock(sessions[0], SESSION_LOCK_TRY, NULL));
  CHECK_OK(session_destroy(theirs));
  for (i = 0; i < 4; ++i) CHECK_OK(session_destroy(sessions[i]));
  stop();
}

static void a_strict_store_demands_it(void) {
  session_t *session;
  start();
  session = create(NULL, NULL);
  CHECK_OK(session_store_configure(store, NULL, "{\"strict_lock\":true}"));
  CHECK_STATUS(SESSION_E_LOCKED, append_text(session, "t", "{}", NULL));
  CHECK_DETAILS("{\"holder\":null");
  CHECK_OK(session_update_title(session, "free all the same"));
  CHECK_OK(session_lock(session, SESSION_LOCK_TRY, NULL));
  CHECK_OK(append_text(session, "t", "{}", NULL));
  CHECK_OK(session_unlock(session));
  CHECK_STATUS(SESSION_E_LOCKED, append_text(session, "t", "{}", NULL));
  CHECK_OK(session_store_configure(store, NULL, "{\"strict_lock\":false}"));
  CHECK_OK(append_text(session, "t", "{}", NULL));
  CHECK_OK(session_destroy(session));
  stop();
}

/* ---- races ---------------------------------------------------------------------------------- */

#define RACERS 8
#define RACES 25

static session_t *racers[RACERS];
static pthread_barrier_t barrier;
static int winners;

static void *race(void *argument) {
  session_t *mine = *(session_t **)argument;
  int round;
  for (round = 0; round < RACES; ++round) {
    session_status_t status;
    pthread_barrier_wait(&barrier);
    status = session_lock(mine, SESSION_LOCK_TRY, NULL);
    MUST(status == SESSION_OK || status == SESSION_E_LOCKED);
    if (status == SESSION_OK) __atomic_add_fetch(&winners, 1, __ATOMIC_RELAXED);
    pthread_barrier_wait(&barrier);
    MUST(append_text(mine, "t", "{}", NULL) == status);
    pthread_barrier_wait(&barrier);
    if (status == SESSION_OK) MUST(session_unlock(mine) == SESSION_OK);
  }
  return NULL;
}

/* Half of them through another store. */
static void of_many_one_gets_it(void) {
  session_store_t *neighbour = NULL;
  session_stat_t stat = SESSION_INIT(session_stat_t);
  threads_t threads = {{0}, 0};
  char id[160];
  int i;

  start();
  NEED(session_store_open(folder, NULL, &neighbour));
  racers[0] = create(NULL, NULL);
  id_of(racers[0], id, sizeof id);
  for (i = 1; i < RACERS; ++i) NEED(session_open(i % 2 ? neighbour : store, id, &racers[i]));
  CHECK(pthread_barrier_init(&barrier, NULL, RACERS) == 0);
  for (i = 0; i < RACERS; ++i) threads_start(&threads, race, &racers[i]);
  threads_join(&threads);
  CHECK(pthread_barrier_destroy(&barrier) == 0);
  CHECK_INT(RACES, winners);
  CHECK_OK(session_get_stat(racers[0], &stat));
  CHECK_INT(RACES, stat.last_seq); /* each winner, and nobody else, wrote one */
  for (i = 0; i < RACERS; ++i) CHECK_OK(session_destroy(racers[i]));
  CHECK_OK(session_store_close(neighbour));
  stop();
}

/* ---- processes ------------------------------------------------------------------------------ */

static void a_killed_holder_is_gone_at_once(void) {
  session_lock_options_t guard = SESSION_INIT(session_lock_options_t);
  session_t *session;
  process_t process;
  char id[160];
  char pid[32];

  start();
  session = create(NULL, NULL);
  id_of(session, id, sizeof id);
  process = process_start("holds", id);
  process_await_ready(&process);
  CHECK_STATUS(SESSION_E_LOCKED, session_lock(session, SESSION_LOCK_TRY, NULL));
  snprintf(pid, sizeof pid, "\"pid\":%d,", (int)process.id);
  CHECK_DETAILS(pid);
  CHECK_STATUS(SESSION_E_PROCESSING, session_lock(session, SESSION_LOCK_FORCE, NULL));
  CHECK_STATUS(SESSION_E_LOCKED, append_text(session, "t", "{}", NULL));
  CHECK_LOCK(session, "\"status_message\":\"holding on\"");
  CHECK_LOCK(session, pid);
  process_kill(&process);
  CHECK_LOCK(session, "{\"is_locked\":false,");
  guard.timeout_ms = GUARD_MS;
  CHECK_OK(session_lock(session, SESSION_LOCK_WAIT, &guard));
  CHECK_OK(append_text(session, "t", "{}", NULL));
  CHECK_OK(session_destroy(session));
  stop();
}

static void a_stopped_holder_that_goes_on_changes_nothing(void) {
  session_stat_t stat = SESSION_INIT(session_stat_t);
  session_t *session;
  process_t process;
  char id[160];
  int status = 0;

  start();
  session = create(NULL, NULL);
  id_of(session, id, sizeof id);
  process = process_start("is-stopped", id);
  CHECK(waitpid(process.id, &status, WUNTRACED) == process.id);
  CHECK(WIFSTOPPED(status));
  CHECK_STATUS(SESSION_E_LOCKED, session_lock(session, SESSION_LOCK_TRY, NULL)); /* it lives */
  CHECK_STATUS(SESSION_E_PROCESSING, session_lock(session, SESSION_LOCK_FORCE, NULL));
  CHECK_OK(session_lock(session, SESSION_LOCK_INTERRUPT, NULL));
  CHECK_OK(append_text(session, "t", "{\"by\":\"the latter\"}", NULL));
  CHECK(kill(process.id, SIGCONT) == 0);
  process_end(&process);
  CHECK_LOCK(session, "\"is_mine\":true");
  CHECK_OK(append_text(session, "t", "{\"by\":\"the latter\"}", NULL));
  CHECK_OK(session_get_stat(session, &stat));
  CHECK_INT(2, stat.last_seq);
  CHECK_OK(session_destroy(session));
  stop();
}

int main(int count, char **arguments) {
  if (count == 4) return second_main(arguments[1], arguments[2], arguments[3]);
  processes_begin(arguments);
  RUN(one_owner_at_a_time);
  RUN(bad_input);
  RUN(force_and_interrupt);
  RUN(waits);
  RUN(a_holder_is_asked);
  RUN(destroying_lets_go);
  RUN(all_of_a_store_are_released);
  RUN(a_strict_store_demands_it);
  RUN(of_many_one_gets_it);
  RUN(a_killed_holder_is_gone_at_once);
  RUN(a_stopped_holder_that_goes_on_changes_nothing);
  return check_done("locks");
}
