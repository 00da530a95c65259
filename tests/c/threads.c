/* Sixteen threads on one session, and destroys that race with calls. */
#include "threads.h"
#include "one_store.h"

#define WORKERS 16
#define ROUNDS 60

typedef struct worker {
  session_t *session; /* its own handle, or one that all share */
  int number;
  int appended;
} worker_t;

/* Appends, renames, reads, aborts and clears, all mixed. Each append gives a higher number than the
   one before on this thread. */
static void *hammer(void *argument) {
  worker_t *worker = (worker_t *)argument;
  uint64_t last = 0;
  int round;
  for (round = 0; round < ROUNDS; ++round) {
    session_stat_t stat = SESSION_INIT(session_stat_t);
    session_append_options_t options = SESSION_INIT(session_append_options_t);
    char text[96];
    char *json = NULL;
    uint64_t seq = 0;
    int32_t flag;

    snprintf(text, sizeof text, "{\"worker\":%d,\"round\":%d}", worker->number, round);
    options.flags = round % 4 == 0 ? SESSION_APPEND_RELAXED : 0;
    if (CHECK_OK(session_append_event_ex(worker->session, "user_prompt", text, strlen(text),
                                         &options, &seq))) {
      CHECK(seq > last);
      last = seq;
      ++worker->appended;
    }
    switch ((round + worker->number) % 6) {
      case 0:
        snprintf(text, sizeof text, "title %d of worker %d", round, worker->number);
        CHECK_OK(session_update_title(worker->session, text));
        break;
      case 1:
        CHECK_OK(session_get_info(worker->session, &json, NULL));
        CHECK_HAS(json, "\"title\":\"");
        CHECK(json_number(json, "last_seq") >= (int64_t)last);
        break;
      case 2:
        CHECK_OK(session_abort(worker->session, "hammered"));
        CHECK_OK(session_is_aborted(worker->session, &flag)); /* others may have cleared it */
        break;
      case 3:
        CHECK_OK(session_clear_abort(worker->session));
        break;
      case 4:
        CHECK_OK(session_read_events(worker->session, last - 1, 1, &json, NULL));
        snprintf(text, sizeof text, "\"data\":{\"worker\":%d,\"round\":%d}}", worker->number,
                 round);
        CHECK_HAS(json, text); /* what was acknowledged is there */
        break;
      default:
        CHECK_OK(session_update_metadata(worker->session, "{\"hammered\":true}"));
        CHECK_OK(session_get_stat(worker->session, &stat));
        CHECK(stat.last_seq >= last && stat.event_count == stat.last_seq);
        break;
    }
    session_string_free(json);
  }
  return NULL;
}

static void sixteen_threads_on_one_session(void) {
  worker_t workers[WORKERS];
  threads_t threads = {{0}, 0};
  session_t *shared;
  session_stat_t stat = SESSION_INIT(session_stat_t);
  char id[160];
  char *json = NULL;
  uint64_t after = 0;
  uint64_t expected = 1;
  int per_worker[WORKERS] = {0};
  int total = 0;
  int i;

  start();
  shared = create(NULL, NULL);
  id_of(shared, id, sizeof id);
  for (i = 0; i < WORKERS; ++i) {
    workers[i].session = shared;
    workers[i].number = i;
    workers[i].appended = 0;
    if (i % 2 == 1) NEED(session_open(store, id, &workers[i].session));
  }
  for (i = 0; i < WORKERS; ++i) threads_start(&threads, hammer, &workers[i]);
  threads_join(&threads);
  for (i = 0; i < WORKERS; ++i) {
    CHECK_INT(ROUNDS, workers[i].appended);
    total += workers[i].appended;
    if (workers[i].session != shared) CHECK_OK(session_destroy(workers[i].session));
  }

  /* The numbers are dense, and each worker's events are all there, in its order. */
  for (;;) {
    const char *place;
    int count = 0;
    CHECK_OK(session_read_events(shared, after, 0, &json, NULL));
    CHECK_HAS(json, "\"skipped\":[]");
    for (place = json; (place = json_after(place, "seq")) != NULL; ++count) {
      int64_t worker = json_number(place, "worker");
      CHECK_INT(expected, strtoll(place, NULL, 10));
      ++expected;
      if (CHECK(worker >= 0 && worker < WORKERS)) {
        CHECK_INT(per_worker[worker], json_number(place, "round"));
        ++per_worker[worker];
      }
    }
    after = (uint64_t)json_number(json, "next_after_seq");
    session_string_free(json);
    json = NULL;
    if (count == 0 || expected > (uint64_t)total) break;
  }
  CHECK_INT(total + 1, expected);
  CHECK_OK(session_get_stat(shared, &stat));
  CHECK_INT(total, stat.last_seq);
  CHECK_INT(total, stat.event_count);
  CHECK_INT(total, stat.message_count);
  CHECK_OK(session_store_verify(store, &json, NULL));
  CHECK_HAS(json, "\"ok\":true");
  session_string_free(json);

  /* And again after a restart. */
  CHECK_OK(session_destroy(shared));
  CHECK_OK(session_store_close(store));
  NEED(session_store_open(folder, NULL, &store));
  NEED(session_open(store, id, &shared));
  CHECK_OK(session_get_stat(shared, &stat));
  CHECK_INT(total, stat.last_seq);
  CHECK_INT(total, stat.message_count);
  CHECK_OK(session_destroy(shared));
  stop();
}

/* ---- destroys that race ------------------------------------------------------------------- */

static session_t *volatile target;
static int appended_to_target; /* atomic */
static int stop_racing;        /* atomic */

static int racing(session_status_t status) {
  return status == SESSION_OK || status == SESSION_E_INVALID_HANDLE ||
         status == SESSION_E_CANCELLED;
}

/* Calls on a handle that others destroy: done, or refused; nothing else. */
static void *use_target(void *argument) {
  (void)argument;
  while (!__atomic_load_n(&stop_racing, __ATOMIC_ACQUIRE)) {
    session_t *session = (session_t *)__atomic_load_n((void *volatile *)(void *)&target,
                                                      __ATOMIC_ACQUIRE);
    session_status_t status;
    char *json = NULL;
    int32_t flag = 0;
    status = session_append_event(session, "t", "{}", 2, SESSION_APPEND_RELAXED, NULL);
    if (status == SESSION_OK) __atomic_add_fetch(&appended_to_target, 1, __ATOMIC_RELAXED);
    MUST(racing(status));
    status = session_get_info(session, &json, NULL);
    MUST(racing(status) && (status == SESSION_OK) == (json != NULL));
    session_string_free(json);
    MUST(racing(session_is_aborted(session, &flag)));
    status = session_wait_abort(session, 1);
    MUST(racing(status) || status == SESSION_E_TIMEOUT);
  }
  return NULL;
}

static void *destroy_target(void *argument) {
  (void)argument;
  while (!__atomic_load_n(&stop_racing, __ATOMIC_ACQUIRE)) {
    MUST(racing(session_destroy((session_t *)__atomic_load_n(
        (void *volatile *)(void *)&target, __ATOMIC_ACQUIRE))));
    sched_yield();
  }
  return NULL;
}

static void destroys_race_with_calls(void) {
  threads_t threads = {{0}, 0};
  session_t *keeper;
  char id[160];
  int i;

  start();
  keeper = create(NULL, NULL);
  id_of(keeper, id, sizeof id);
  for (i = 0; i < 4; ++i) threads_start(&threads, use_target, NULL);
  for (i = 0; i < 2; ++i) threads_start(&threads, destroy_target, NULL);
  for (i = 0; i < 300; ++i) {
    session_t *opened = NULL;
    CHECK_OK(session_open(store, id, &opened));
    __atomic_store_n((void *volatile *)(void *)&target, (void *)opened, __ATOMIC_RELEASE);
    sched_yield();
    CHECK(racing(session_destroy(opened)));
  }
  __atomic_store_n(&stop_racing, 1, __ATOMIC_RELEASE);
  threads_join(&threads);
  {
    session_stat_t stat = SESSION_INIT(session_stat_t);
    CHECK_OK(session_get_stat(keeper, &stat));
    CHECK_INT(appended_to_target, stat.event_count); /* OK means written, refused means not */
  }
  CHECK_OK(session_destroy(keeper));
  stop();
}

/* ---- a close that races ------------------------------------------------------------------- */

static session_t *victim;
static int written_before_close; /* atomic */
static int appenders_gone;       /* atomic */

static void *append_until_closed(void *argument) {
  session_status_t status = SESSION_OK;
  (void)argument;
  while (status == SESSION_OK) {
    status = session_append_event(victim, "t", "{}", 2, 0, NULL);
    if (status == SESSION_OK) __atomic_add_fetch(&written_before_close, 1, __ATOMIC_RELAXED);
  }
  CHECK_STATUS(SESSION_E_CLOSED, status);
  __atomic_add_fetch(&appenders_gone, 1, __ATOMIC_RELAXED);
  return NULL;
}

static void close_lets_running_commits_finish(void) {
  threads_t threads = {{0}, 0};
  session_stat_t stat = SESSION_INIT(session_stat_t);
  char id[160];
  int i;

  start();
  victim = create(NULL, NULL);
  id_of(victim, id, sizeof id);
  for (i = 0; i < 8; ++i) threads_start(&threads, append_until_closed, NULL);
  while (__atomic_load_n(&written_before_close, __ATOMIC_RELAXED) < 50 &&
         __atomic_load_n(&appenders_gone, __ATOMIC_RELAXED) < 8) {
    sched_yield();
  }
  CHECK_OK(session_store_close(store));
  threads_join(&threads);
  CHECK_OK(session_destroy(victim));
  NEED(session_store_open(folder, NULL, &store));
  NEED(session_open(store, id, &victim));
  CHECK_OK(session_get_stat(victim, &stat));
  CHECK_INT(written_before_close, stat.event_count); /* acknowledged: there; refused: not */
  CHECK_OK(session_destroy(victim));
  stop();
}

/* ---- errors are each thread's own --------------------------------------------------------- */

static void *fail_in_its_own_way(void *argument) {
  int number = *(int *)argument;
  int i;
  for (i = 0; i < 200; ++i) {
    char id[64];
    session_t *opened = NULL;
    snprintf(id, sizeof id, "session_%d", number + 1);
    if (number % 2 == 0) {
      CHECK_STATUS(SESSION_E_NOT_FOUND, session_open(store, id, &opened));
      CHECK_INT(SESSION_E_NOT_FOUND, session_last_error()->status);
      CHECK_DETAILS(id);
    } else {
      CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, session_open(store, "../x", &opened));
      CHECK_INT(SESSION_E_INVALID_ARGUMENT, session_last_error()->status);
    }
  }
  return NULL;
}

static void errors_are_per_thread(void) {
  threads_t threads = {{0}, 0};
  int numbers[8];
  int i;

  start();
  for (i = 0; i < 8; ++i) {
    numbers[i] = i;
    threads_start(&threads, fail_in_its_own_way, &numbers[i]);
  }
  threads_join(&threads);
  stop();
}

int main(void) {
  RUN(sixteen_threads_on_one_session);
  RUN(destroys_race_with_calls);
  RUN(close_lets_running_commits_finish);
  RUN(errors_are_per_thread);
  return check_done("threads");
}
