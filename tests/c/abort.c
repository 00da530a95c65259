/* sessions/session.h: the abort signal. No test depends on how fast a waiter gets going: where that
   matters, the signal is given again until the waiter has answered. */
#include "one_store.h"
#include "threads.h"

#include <fcntl.h>

typedef struct waiter {
  session_t *session;
  uint32_t timeout_ms;
  session_status_t status;
  int done; /* atomic */
} waiter_t;

static void *wait_once(void *argument) {
  waiter_t *waiter = (waiter_t *)argument;
  waiter->status = session_wait_abort(waiter->session, waiter->timeout_ms);
  __atomic_store_n(&waiter->done, 1, __ATOMIC_RELEASE);
  return NULL;
}

static int is_done(waiter_t *waiter) {
  return __atomic_load_n(&waiter->done, __ATOMIC_ACQUIRE);
}

static int aborted(session_t *session) {
  int32_t value = 7;
  CHECK_OK(session_is_aborted(session, &value));
  return value;
}

static void abort_and_clear(void) {
  session_t *session;
  session_stat_t stat = SESSION_INIT(session_stat_t);

  start();
  session = create(NULL, NULL);
  CHECK_INT(0, aborted(session));
  CHECK_OK(session_clear_abort(session)); /* nothing to clear */
  CHECK_OK(session_abort(session, "the user pressed stop"));
  CHECK_INT(1, aborted(session));
  CHECK_INFO(session, "\"is_aborted\":true,\"abort_reason\":\"the user pressed stop\","
                      "\"abort_count\":1");
  CHECK_OK(session_get_stat(session, &stat));
  CHECK_INT(SESSION_STAT_ABORTED, stat.flags);
  CHECK_INT(1, stat.abort_count);
  CHECK_OK(session_wait_abort(session, 0));
  CHECK_OK(session_wait_abort(session, SESSION_WAIT_FOREVER));

  CHECK_OK(session_clear_abort(session));
  CHECK_INT(0, aborted(session));
  CHECK_INFO(session, "\"is_aborted\":false,\"abort_reason\":null,\"abort_count\":1");
  CHECK_STATUS(SESSION_E_TIMEOUT, session_wait_abort(session, 0));
  CHECK_OK(session_abort(session, NULL));
  CHECK_INFO(session, "\"is_aborted\":true,\"abort_reason\":null,\"abort_count\":2");
  CHECK_OK(session_destroy(session));
  stop();
}

static void abort_survives_a_restart(void) {
  session_t *session;
  char id[160];

  start();
  session = create(NULL, NULL);
  id_of(session, id, sizeof id);
  CHECK_OK(session_abort(session, "why"));
  CHECK_OK(session_destroy(session));
  CHECK_OK(session_store_close(store));
  NEED(session_store_open(folder, NULL, &store));
  NEED(session_open(store, id, &session));
  CHECK_INT(1, aborted(session));
  CHECK_OK(session_wait_abort(session, SESSION_WAIT_FOREVER));
  CHECK_OK(session_destroy(session));
  stop();
}

static void reasons(void) {
  session_t *session;
  char *longest = text_of('r', 4096);
  char *too_long = text_of('r', 4097);

  start();
  session = create(NULL, NULL);
  CHECK_STATUS(SESSION_E_LIMIT, session_abort(session, too_long));
  CHECK_DETAILS("{\"limit\":\"reason_bytes_max\",\"max\":4096,\"actual\":4097}");
  CHECK_STATUS(SESSION_E_INVALID_UTF8, session_abort(session, "a\xFF"));
  CHECK_INT(1, session_last_error()->offset);
  CHECK_INT(0, aborted(session)); /* a refused call signals nothing */
  CHECK_OK(session_abort(session, longest));
  CHECK_INFO(session, longest);
  free(longest);
  free(too_long);
  CHECK_OK(session_destroy(session));
  stop();
}

static void timeout_is_an_answer(void) {
  session_t *session;

  start();
  session = create(NULL, NULL);
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, session_get_id(session, NULL));
  CHECK_STATUS(SESSION_E_TIMEOUT, session_wait_abort(session, 0));
  CHECK_STATUS(SESSION_E_TIMEOUT, session_wait_abort(session, 20));
  CHECK_INT(SESSION_E_INVALID_ARGUMENT, session_last_error()->status);
  CHECK_OK(session_destroy(session));
  stop();
}

/* Many waiters, on the same and on other handles of the session, wake from one signal. */
static void every_waiter_wakes(void) {
  session_t *handles[4];
  waiter_t waiters[16];
  threads_t threads = {{0}, 0};
  char id[160];
  int i;

  start();
  handles[0] = create(NULL, NULL);
  id_of(handles[0], id, sizeof id);
  for (i = 1; i < 4; ++i) NEED(session_open(store, id, &handles[i]));
  memset(waiters, 0, sizeof waiters);
  for (i = 0; i < 16; ++i) {
    waiters[i].session = handles[i % 4];
    waiters[i].timeout_ms = GUARD_MS;
    threads_start(&threads, wait_once, &waiters[i]);
  }
  CHECK_OK(session_abort(handles[3], NULL));
  threads_join(&threads);
  for (i = 0; i < 16; ++i) CHECK_OK(waiters[i].status);
  for (i = 0; i < 4; ++i) CHECK_OK(session_destroy(handles[i]));
  stop();
}

/* A waiter that was there when the signal came wakes although the abort is cleared at once. */
static void clear_does_not_swallow_the_signal(void) {
  session_t *session;
  waiter_t waiter;
  threads_t threads = {{0}, 0};

  start();
  session = create(NULL, NULL);
  memset(&waiter, 0, sizeof waiter);
  waiter.session = session;
  waiter.timeout_ms = SESSION_WAIT_FOREVER;
  threads_start(&threads, wait_once, &waiter);
  while (!is_done(&waiter)) {
    CHECK_OK(session_abort_ex(session, NULL, SESSION_ABORT_RELAXED, NULL));
    CHECK_OK(session_clear_abort(session));
  }
  threads_join(&threads);
  CHECK_OK(waiter.status);
  CHECK_INT(0, aborted(session));
  CHECK_OK(session_destroy(session));
  stop();
}

static void tree(void) {
  session_t *root;
  session_t *child;
  session_t *grandchild;
  session_t *other;
  char id[160];
  uint32_t count = 7;
  waiter_t waiter;
  threads_t threads = {{0}, 0};

  start();
  root = create(NULL, NULL);
  id_of(root, id, sizeof id);
  child = create(id, NULL);
  id_of(child, id, sizeof id);
  grandchild = create(id, NULL);
  other = create(NULL, NULL);

  CHECK_OK(session_abort_ex(root, "alone", 0, &count));
  CHECK_INT(1, count);
  CHECK_INT(1, aborted(root));
  CHECK_INT(0, aborted(child));
  CHECK_OK(session_clear_abort(root));

  memset(&waiter, 0, sizeof waiter);
  waiter.session = grandchild;
  waiter.timeout_ms = GUARD_MS;
  threads_start(&threads, wait_once, &waiter);
  CHECK_OK(session_abort_ex(root, "all of you", SESSION_ABORT_TREE, &count));
  CHECK_INT(3, count);
  threads_join(&threads);
  CHECK_OK(waiter.status);
  CHECK_INT(1, aborted(root) & aborted(child) & aborted(grandchild));
  CHECK_INT(0, aborted(other));
  CHECK_INFO(grandchild, "\"abort_reason\":\"all of you\"");
  CHECK_OK(session_clear_abort(root)); /* a clear is for one session */
  CHECK_INT(0, aborted(root));
  CHECK_INT(1, aborted(child));

  CHECK_OK(session_abort_ex(other, NULL, SESSION_ABORT_RELAXED, NULL));
  CHECK_INT(1, aborted(other)); /* signalled, whenever the disk has it */
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, session_abort_ex(other, NULL, 0x40u, &count));
  CHECK_INT(0, count);
  CHECK_DETAILS("\"unknown_bits\":64");

  CHECK_OK(session_destroy(root));
  CHECK_OK(session_destroy(child));
  CHECK_OK(session_destroy(grandchild));
  CHECK_OK(session_destroy(other));
  stop();
}

static void another_store_in_this_process_hears_it(void) {
  session_store_t *there = NULL;
  session_t *here;
  session_t *seen = NULL;
  waiter_t waiter;
  threads_t threads = {{0}, 0};
  char id[160];

  start();
  here = create(NULL, NULL);
  id_of(here, id, sizeof id);
  NEED(session_store_open(folder, NULL, &there));
  NEED(session_open(there, id, &seen));
  memset(&waiter, 0, sizeof waiter);
  waiter.session = seen;
  waiter.timeout_ms = GUARD_MS;
  threads_start(&threads, wait_once, &waiter);
  CHECK_OK(session_abort(here, NULL));
  threads_join(&threads);
  CHECK_OK(waiter.status);
  CHECK_OK(session_destroy(seen));
  CHECK_OK(session_destroy(here));
  CHECK_OK(session_store_close(there));
  stop();
}

#if defined(F_OFD_SETLK)
/* The store lock, byte 2^40 of store.json, held by somebody who never lets go of it: the abort
   cannot be recorded, and everybody hears of it. */
static int lock_store(int file, short type) {
  struct flock lock;
  memset(&lock, 0, sizeof lock);
  lock.l_type = type;
  lock.l_whence = SEEK_SET;
  lock.l_start = (off_t)1 << 40;
  lock.l_len = 1;
  return fcntl(file, F_OFD_SETLK, &lock);
}

static void an_abort_that_cannot_be_recorded_is_heard(void) {
  session_store_options_t options = SESSION_INIT(session_store_options_t);
  session_store_t *there = NULL;
  session_store_t *hasty = NULL;
  session_t *here;
  session_t *seen = NULL;
  session_t *same = NULL;
  waiter_t waiters[2];
  threads_t threads = {{0}, 0};
  char path[4200];
  char id[160];
  int file;
  int i;

  start();
  here = create(NULL, NULL);
  id_of(here, id, sizeof id);
  NEED(session_store_open(folder, NULL, &there));
  NEED(session_open(there, id, &seen));
  options.busy_timeout_ms = 20;
  NEED(session_store_open(folder, &options, &hasty));
  NEED(session_open(hasty, id, &same));
  snprintf(path, sizeof path, "%s/store.json", folder);
  file = open(path, O_RDWR);
  CHECK(file >= 0);
  memset(waiters, 0, sizeof waiters);
  for (i = 0; i < 2; ++i) {
    waiters[i].session = i == 0 ? here : seen;
    waiters[i].timeout_ms = GUARD_MS;
    threads_start(&threads, wait_once, &waiters[i]);
  }
  while (lock_store(file, F_WRLCK) != 0) sched_yield(); /* a checkpoint may be under way */
  CHECK_STATUS(SESSION_E_BUSY, session_abort(same, "now"));
  threads_join(&threads);
  CHECK_OK(waiters[0].status);
  CHECK_OK(waiters[1].status);
  CHECK_INT(1, aborted(here));
  CHECK_INT(1, aborted(seen));
  CHECK_INT(1, aborted(same));
  CHECK_INFO(seen, "\"is_aborted\":false,\"abort_reason\":null,\"abort_count\":0");
  CHECK(lock_store(file, F_UNLCK) == 0);
  CHECK_OK(session_clear_abort(seen));
  CHECK_INT(0, aborted(here));
  CHECK_INT(0, aborted(seen));
  CHECK_INT(0, aborted(same));
  CHECK_INFO(here, "\"is_aborted\":false,\"abort_reason\":null,\"abort_count\":1");
  close(file);
  CHECK_OK(session_destroy(same));
  CHECK_OK(session_destroy(seen));
  CHECK_OK(session_destroy(here));
  CHECK_OK(session_store_close(hasty));
  CHECK_OK(session_store_close(there));
  stop();
}
#endif

/* Open tool calls end in the commit of the abort, and once; the turn is left to its agent. */
static void open_calls_are_settled(void) {
  session_append_options_t turn = SESSION_INIT(session_append_options_t);
  session_stat_t stat = SESSION_INIT(session_stat_t);
  const char *call = "{\"tool_call_id\":\"c\"}";
  session_t *session;
  char *json = NULL;

  start();
  session = create(NULL, NULL);
  turn.turn_id = "t";
  CHECK_OK(session_append_event_ex(session, "tool_call", call, strlen(call), &turn, NULL));
  CHECK_OK(session_abort_ex(session, NULL, SESSION_ABORT_RELAXED, NULL));
  CHECK_OK(session_get_stat(session, &stat));
  CHECK_INT(2, stat.last_seq);
  CHECK_OK(session_read_events(session, 1, 1, &json, NULL));
  CHECK(strstr(json, "{\"tool_call_id\":\"c\",\"status\":\"interrupted\",\"aborted\":true}"));
  session_string_free(json);
  CHECK_OK(session_abort(session, "twice"));
  CHECK_OK(session_get_stat(session, &stat));
  CHECK_INT(2, stat.last_seq);
  CHECK_OK(session_append_event_ex(session, "turn_end", "{}", 2, &turn, NULL));
  CHECK_OK(session_repair(session, 0, &json, NULL));
  CHECK(strstr(json, "\"applied\":false"));
  session_string_free(json);
  CHECK_OK(session_destroy(session));
  stop();
}

static void delete_ends_waits(void) {
  session_t *session;
  session_t *other = NULL;
  waiter_t waiters[2];
  threads_t threads = {{0}, 0};
  char id[160];
  int i;

  start();
  session = create(NULL, NULL);
  id_of(session, id, sizeof id);
  NEED(session_open(store, id, &other));
  memset(waiters, 0, sizeof waiters);
  for (i = 0; i < 2; ++i) {
    waiters[i].session = i == 0 ? session : other;
    waiters[i].timeout_ms = GUARD_MS;
    threads_start(&threads, wait_once, &waiters[i]);
  }
  CHECK_OK(session_delete(session, SESSION_DELETE_CASCADE));
  threads_join(&threads);
  CHECK_STATUS(SESSION_E_DELETED, waiters[0].status);
  CHECK_STATUS(SESSION_E_DELETED, waiters[1].status);
  CHECK_OK(session_destroy(session));
  CHECK_OK(session_destroy(other));
  stop();
}

static void close_ends_waits(void) {
  session_t *session;
  waiter_t waiter;
  threads_t threads = {{0}, 0};

  start();
  session = create(NULL, NULL);
  memset(&waiter, 0, sizeof waiter);
  waiter.session = session;
  waiter.timeout_ms = GUARD_MS;
  threads_start(&threads, wait_once, &waiter);
  CHECK_OK(session_store_close(store));
  threads_join(&threads);
  CHECK_STATUS(SESSION_E_CLOSED, waiter.status);
  CHECK_OK(session_destroy(session));
  folder_remove(folder);
}

/* A destroy before the wait has begun answers INVALID_HANDLE, one during it CANCELLED. It is tried,
   giving the waiter more and more turns, until it was met waiting. */
static void destroy_ends_waits_on_that_handle(void) {
  session_t *keeper;
  char id[160];
  int tries;
  int cancelled = 0;

  start();
  keeper = create(NULL, NULL);
  id_of(keeper, id, sizeof id);
  for (tries = 1; tries < 100000 && !cancelled; tries *= 2) {
    waiter_t waiter;
    threads_t threads = {{0}, 0};
    int turns;
    memset(&waiter, 0, sizeof waiter);
    waiter.timeout_ms = SESSION_WAIT_FOREVER;
    NEED(session_open(store, id, &waiter.session));
    threads_start(&threads, wait_once, &waiter);
    for (turns = 0; turns < tries; ++turns) sched_yield();
    CHECK_OK(session_destroy(waiter.session));
    threads_join(&threads);
    CHECK(waiter.status == SESSION_E_CANCELLED || waiter.status == SESSION_E_INVALID_HANDLE);
    cancelled = waiter.status == SESSION_E_CANCELLED;
  }
  CHECK(cancelled);
  CHECK_STATUS(SESSION_E_TIMEOUT, session_wait_abort(keeper, 0)); /* other handles go on */
  CHECK_OK(session_destroy(keeper));
  stop();
}

int main(void) {
  RUN(abort_and_clear);
  RUN(abort_survives_a_restart);
  RUN(reasons);
  RUN(timeout_is_an_answer);
  RUN(every_waiter_wakes);
  RUN(clear_does_not_swallow_the_signal);
  RUN(tree);
  RUN(another_store_in_this_process_hears_it);
#if defined(F_OFD_SETLK)
  RUN(an_abort_that_cannot_be_recorded_is_heard);
#endif
  RUN(open_calls_are_settled);
  RUN(delete_ends_waits);
  RUN(close_ends_waits);
  RUN(destroy_ends_waits_on_that_handle);
  return check_done("abort");
}
