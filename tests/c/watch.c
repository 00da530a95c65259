/* A watch: what it tells, its position and filters, its socket and its wake, and how it ends. */
#include "processes.h"
#include "threads.h"

#include <fcntl.h>
#include <poll.h>

/* ---- the second process --------------------------------------------------------------------- */

#define THEIRS 50

static void second_changes(void) {
  session_stream_t *stream = NULL;
  int i;
  for (i = 0; i < THEIRS; ++i) CHECK_OK(append_text(second, "note", "{}", NULL));
  CHECK_OK(session_update_title(second, "from the second"));
  CHECK_OK(session_stream_begin(second, "agent_message", NULL, &stream));
  CHECK_OK(session_stream_write(stream, "hello", 5));
  CHECK_OK(session_stream_end(stream, NULL, NULL));
  CHECK_OK(session_stream_destroy(stream));
}

static int second_main(const char *role, const char *path, const char *id) {
  alarm(GUARD_MS / 1000);
  if (!open_second(path, id)) return 1;
  if (strcmp(role, "changes") == 0) second_changes();
  return close_second();
}

/* ---- the first ------------------------------------------------------------------------------ */

static session_watch_t *open_watch(const session_watch_options_t *options) {
  session_watch_t *watch = NULL;
  CHECK_OK(session_watch_open(store, options, &watch));
  return watch;
}

/* The next page, which must come; free it. */
static char *next(session_watch_t *watch, uint32_t limit) {
  char *json = NULL;
  size_t length = 0;
  CHECK_OK(session_watch_next(watch, limit, GUARD_MS, &json, &length));
  CHECK_INT(length, json == NULL ? 0 : strlen(json));
  return json;
}

static int has_more(const char *json) { return strstr(json, "\"has_more\":true}") != NULL; }

/* Reads pages until one has that part; answers its next_lsn. */
static uint64_t await_part(session_watch_t *watch, const char *part) {
  uint64_t lsn = 0;
  int found = 0;
  while (!found) {
    char *json = next(watch, 0);
    if (json == NULL) break;
    found = strstr(json, part) != NULL;
    lsn = (uint64_t)json_number(json, "next_lsn");
    session_string_free(json);
  }
  return lsn;
}

/* That there is nothing: an empty page, at once. */
static void expect_nothing(session_watch_t *watch) {
  char *json = NULL;
  CHECK_OK(session_watch_next(watch, 0, 0, &json, NULL));
  CHECK_HAS(json, "{\"changes\":[],\"next_lsn\":");
  CHECK_HAS(json, ",\"has_more\":false}");
  session_string_free(json);
}

static void changes_are_told(void) {
  session_watch_t *watch;
  session_t *session;
  char *json = NULL;
  char text[256];
  char id[160];

  start();
  watch = open_watch(NULL);
  expect_nothing(watch);
  session = create(NULL, "A title");
  id_of(session, id, sizeof id);
  json = next(watch, 0);
  CHECK_HAS(json, "\"kind\":\"created\"");
  snprintf(text, sizeof text, "\"session_id\":\"%s\"", id);
  CHECK_HAS(json, text);
  snprintf(text, sizeof text, "\"by\":{\"pid\":%d,\"client_type\":\"unknown\",", (int)getpid());
  CHECK_HAS(json, text);
  CHECK(json_number(json, "next_lsn") >= json_number(json, "lsn"));
  session_string_free(json);
  expect_nothing(watch);

  CHECK_OK(append_text(session, "user_prompt", "{}", NULL));
  json = next(watch, 0);
  CHECK_HAS(json, "\"kind\":\"event_appended\",");
  CHECK_HAS(json, "\"last_seq\":1,");
  CHECK_HAS(json, "\"detail\":{\"seq\":1,\"type\":\"user_prompt\",");
  session_string_free(json);
  CHECK_OK(session_update_title(session, "Another"));
  await_part(watch, "\"kind\":\"renamed\"");
  CHECK_OK(session_abort(session, "user"));
  await_part(watch, "\"reason\":\"user\"");
  CHECK_OK(session_clear_abort(session));
  await_part(watch, "\"kind\":\"abort\"");
  CHECK_OK(session_lock(session, SESSION_LOCK_TRY, NULL));
  await_part(watch, "\"detail\":{\"what\":\"acquired\",");
  CHECK_OK(session_queue_add(session, "{\"message\":\"m\"}", 15, &json, NULL));
  session_string_free(json);
  await_part(watch, "\"detail\":{\"what\":\"added\",\"entry_id\":\"q-");
  CHECK_OK(session_set_buttons(session, "[{\"label\":\"l\",\"response\":\"r\"}]", 0));
  await_part(watch, ",\"count\":1}");
  CHECK_OK(session_delete(session, SESSION_DELETE_CASCADE));
  await_part(watch, "\"kind\":\"deleted\"");
  CHECK_OK(session_restore(store, id));
  await_part(watch, "\"kind\":\"restored\"");
  CHECK_OK(session_watch_destroy(watch));
  CHECK_OK(session_destroy(session));
  stop();
}

static void filters_and_positions(void) {
  session_watch_options_t how = SESSION_INIT(session_watch_options_t);
  session_watch_t *of_one;
  session_watch_t *of_kinds;
  session_watch_t *again;
  session_t *session;
  session_t *other;
  char *json;
  char id[160];
  int i;

  start();
  session = create(NULL, NULL);
  other = create(NULL, NULL);
  id_of(session, id, sizeof id);
  how.session_id = id;
  of_one = open_watch(&how);
  how.session_id = NULL;
  how.kinds = "renamed,abort";
  of_kinds = open_watch(&how);
  CHECK_OK(append_text(other, "t", "{}", NULL));
  CHECK_OK(append_text(session, "t", "{}", NULL));
  CHECK_OK(session_update_title(other, "theirs"));
  CHECK_OK(session_update_title(session, "ours"));

  json = next(of_one, 1);
  CHECK_INT(1, text_count(json, "\"kind\":"));
  CHECK_HAS(json, "\"kind\":\"event_appended\"");
  CHECK_HAS(json, id);
  CHECK(has_more(json));
  how.kinds = NULL;
  how.session_id = id;
  how.after_lsn = (uint64_t)json_number(json, "next_lsn");
  session_string_free(json);
  again = open_watch(&how); /* goes on where the other one is */
  json = next(again, 0);
  CHECK_INT(1, text_count(json, "\"kind\":"));
  CHECK_HAS(json, "\"title\":\"ours\"");
  session_string_free(json);

  json = next(of_one, 0);
  CHECK_INT(1, text_count(json, "\"kind\":"));
  CHECK_HAS(json, "\"title\":\"ours\"");
  CHECK(!has_more(json));
  session_string_free(json);
  for (i = 0; i < 2; ++i) {
    json = next(of_kinds, 1);
    CHECK_INT(1, text_count(json, "\"kind\":"));
    CHECK_HAS(json, i == 0 ? "\"title\":\"theirs\"" : "\"title\":\"ours\"");
    CHECK_INT(i == 0, has_more(json));
    session_string_free(json);
  }
  expect_nothing(of_one);
  expect_nothing(of_kinds);
  expect_nothing(again);
  CHECK_OK(session_watch_destroy(again));
  CHECK_OK(session_watch_destroy(of_kinds));
  CHECK_OK(session_watch_destroy(of_one));

  again = (session_watch_t *)folder;
  how.after_lsn = 0;
  how.session_id = NULL;
  how.kinds = "renamed,nothing";
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, session_watch_open(store, &how, &again));
  CHECK(again == NULL);
  how.kinds = "renamed,";
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, session_watch_open(store, &how, &again));
  how.kinds = NULL;
  how.session_id = "../x";
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, session_watch_open(store, &how, &again));
  how.session_id = NULL;
  how.after_lsn = UINT64_MAX;
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, session_watch_open(store, &how, &again));
  CHECK_DETAILS("{\"argument\":\"after_lsn\"}");
  CHECK_OK(session_destroy(other));
  CHECK_OK(session_destroy(session));
  stop();
}

/* What one reads slowly is not lost, and keeps nobody waiting. */
static void a_slow_reader_misses_nothing(void) {
  session_watch_t *watch;
  session_t *session;
  uint64_t expected = 1;
  int i;

  start();
  session = create(NULL, NULL);
  watch = open_watch(NULL);
  for (i = 0; i < 1000; ++i) {
    MUST(session_append_event(session, "t", "{}", 2, SESSION_APPEND_RELAXED, NULL) == SESSION_OK);
  }
  while (expected <= 1000) {
    char *json = next(watch, 100);
    const char *place = json;
    uint64_t before = expected;
    CHECK_LACKS(json, "\"kind\":\"gap\"");
    while ((place = json_after(place, "seq")) != NULL) {
      MUST((uint64_t)strtoll(place, NULL, 10) == expected);
      ++expected;
    }
    session_string_free(json);
    if (!CHECK(expected > before && expected <= before + 100)) break;
  }
  expect_nothing(watch);
  CHECK_OK(session_watch_destroy(watch));
  CHECK_OK(session_destroy(session));
  stop();
}

static void coalesced(void) {
  session_watch_options_t how = SESSION_INIT(session_watch_options_t);
  session_watch_t *watch;
  session_t *session;
  session_t *other;
  char *json;
  int i;

  start();
  session = create(NULL, NULL);
  other = create(NULL, NULL);
  how.flags = SESSION_WATCH_COALESCE;
  watch = open_watch(&how);
  for (i = 0; i < 100; ++i) MUST(append_text(session, "t", "{}", NULL) == SESSION_OK);
  CHECK_OK(session_update_title(session, "once"));
  CHECK_OK(append_text(other, "t", "{}", NULL));
  json = next(watch, 0);
  CHECK_INT(2, text_count(json, "\"kind\":\"changed\""));
  CHECK_INT(2, text_count(json, "\"kind\":"));
  CHECK_HAS(json, "\"last_seq\":100,");
  CHECK_HAS(json, "\"renamed\"");
  CHECK_INT(2, text_count(json, "\"event_appended\""));
  session_string_free(json);
  expect_nothing(watch);
  CHECK_OK(session_watch_destroy(watch));
  CHECK_OK(session_destroy(other));
  CHECK_OK(session_destroy(session));
  stop();
}

/* ---- the socket ----------------------------------------------------------------------------- */

static int is_readable(intptr_t fd, uint32_t timeout_ms) {
  struct pollfd entry;
  int count;
  entry.fd = (int)fd;
  entry.events = POLLIN;
  entry.revents = 0;
  count = poll(&entry, 1, (int)timeout_ms);
  CHECK(count >= 0 && (entry.revents & ~(POLLIN | POLLHUP)) == 0);
  return count == 1 && (entry.revents & POLLIN) != 0;
}

static void the_socket_says_when(void) {
  session_watch_t *watch;
  session_t *session;
  intptr_t fd = -1;
  intptr_t copy = -1;
  char *json;
  char byte = 0;
  int i;

  start();
  session = create(NULL, NULL);
  watch = open_watch(NULL);
  CHECK_OK(session_watch_get_fd(watch, 0, &fd));
  CHECK_OK(session_watch_get_fd(watch, 0, &copy));
  CHECK(fd >= 0 && copy == fd); /* the watch's own */
  CHECK_OK(session_watch_get_fd(watch, SESSION_FD_DUPLICATE, &copy));
  CHECK(copy >= 0 && copy != fd);
  CHECK((fcntl((int)fd, F_GETFD) & FD_CLOEXEC) != 0);
  CHECK((fcntl((int)copy, F_GETFD) & FD_CLOEXEC) != 0);
  CHECK((fcntl((int)fd, F_GETFL) & O_NONBLOCK) != 0);
  CHECK(!is_readable(fd, 0) && !is_readable(copy, 0));

  for (i = 0; i < 3; ++i) { /* readable exactly while there is something */
    CHECK_OK(append_text(session, "t", "{}", NULL));
    CHECK_OK(append_text(session, "t", "{}", NULL));
    CHECK(is_readable(fd, GUARD_MS) && is_readable(copy, GUARD_MS));
    json = next(watch, 1);
    session_string_free(json);
    while (json != NULL && is_readable(fd, 0)) {
      json = next(watch, 1);
      session_string_free(json);
    }
    CHECK(!is_readable(copy, 0));
    expect_nothing(watch);
  }

  /* A host that reads the byte itself, as net.Socket does, gets another while there is more. */
  for (i = 0; i < 3; ++i) {
    CHECK_OK(append_text(session, "t", "{}", NULL));
    CHECK(is_readable(copy, GUARD_MS));
    while (read((int)copy, &byte, 1) == 1) {
    }
    CHECK(is_readable(copy, GUARD_MS));
    session_string_free(next(watch, 0));
  }

  /* One that makes its duplicate blocking, as Go's File.Fd() does, makes nobody else wait. */
  CHECK(fcntl((int)copy, F_SETFL, fcntl((int)copy, F_GETFL) & ~O_NONBLOCK) == 0);
  CHECK((fcntl((int)fd, F_GETFL) & O_NONBLOCK) == 0); /* the flag is shared */
  for (i = 0; i < 3; ++i) {
    expect_nothing(watch);
    CHECK_OK(append_text(session, "t", "{}", NULL));
    CHECK(is_readable(copy, GUARD_MS));
    session_string_free(next(watch, 0));
  }
  expect_nothing(watch);
  CHECK(fcntl((int)copy, F_SETFL, fcntl((int)copy, F_GETFL) | O_NONBLOCK) == 0);

  /* One that only ever reads never stops anybody, and nothing is lost to it. */
  for (i = 0; i < 200; ++i) {
    MUST(session_append_event(session, "t", "{}", 2, SESSION_APPEND_RELAXED, NULL) == SESSION_OK);
    (void)!read((int)copy, &byte, 1);
  }
  CHECK(is_readable(copy, GUARD_MS));

  CHECK(close((int)copy) == 0); /* ours; the watch's own is as it was */
  CHECK_OK(session_watch_get_fd(watch, SESSION_FD_DUPLICATE, &copy));
  CHECK(is_readable(fd, GUARD_MS));
  CHECK_OK(session_watch_destroy(watch));
  CHECK(fcntl((int)fd, F_GETFD) == -1);   /* gone with the watch */
  CHECK(fcntl((int)copy, F_GETFD) != -1); /* still to be closed */
  while (read((int)copy, &byte, 1) == 1) {
  }
  CHECK(read((int)copy, &byte, 1) == 0); /* the other end is gone, so a poll loop hears of it */
  CHECK(close((int)copy) == 0);
  CHECK_OK(session_destroy(session));
  stop();
}

/* ---- wake ----------------------------------------------------------------------------------- */

typedef struct waker {
  session_watch_t *watch;
  int count;
  int destroyed; /* 1 once its watch was destroyed from inside */
} waker_t;

/* ThreadSanitizer does not see what the library orders by itself. */
static int wakers_made;

static void count_wake(void *user) {
  waker_t *waker = (waker_t *)user;
  (void)__atomic_load_n(&wakers_made, __ATOMIC_ACQUIRE);
  __atomic_add_fetch(&waker->count, 1, __ATOMIC_RELEASE);
}

static void destroy_in_wake(void *user) {
  waker_t *waker = (waker_t *)user;
  session_watch_t *watch = __atomic_load_n(&waker->watch, __ATOMIC_ACQUIRE);
  __atomic_add_fetch(&waker->count, 1, __ATOMIC_RELEASE);
  CHECK_OK(session_watch_destroy(watch));
  CHECK_INT(SESSION_E_INVALID_HANDLE, session_watch_destroy(watch));
  __atomic_store_n(&waker->destroyed, 1, __ATOMIC_RELEASE);
}

static int load(const int *number) { return __atomic_load_n(number, __ATOMIC_ACQUIRE); }

static void wakes(void) {
  session_watch_options_t how = SESSION_INIT(session_watch_options_t);
  waker_t waker = {NULL, 0, 0};
  session_watch_t *watch;
  session_t *session;
  char text[64];
  int round;

  start();
  session = create(NULL, NULL);
  how.wake = count_wake;
  how.wake_user = &waker;
  __atomic_add_fetch(&wakers_made, 1, __ATOMIC_RELEASE);
  watch = open_watch(&how);
  for (round = 1; round <= 3; ++round) { /* once each time that there is something again */
    CHECK_OK(append_text(session, "t", "{}", NULL));
    while (load(&waker.count) < round) sched_yield();
    CHECK_OK(append_text(session, "t", "{}", NULL));
    snprintf(text, sizeof text, "\"last_seq\":%d,", 2 * round);
    await_part(watch, text);
    expect_nothing(watch);
    CHECK_INT(round, load(&waker.count));
  }
  CHECK_OK(session_watch_destroy(watch));
  CHECK_OK(append_text(session, "t", "{}", NULL));
  CHECK_INT(3, load(&waker.count));

  how.wake = destroy_in_wake;
  for (round = 0; round < 20; ++round) {
    memset(&waker, 0, sizeof waker);
    watch = open_watch(&how);
    __atomic_store_n(&waker.watch, watch, __ATOMIC_RELEASE);
    CHECK_OK(append_text(session, "t", "{}", NULL));
    while (!load(&waker.destroyed)) sched_yield();
    CHECK_OK(append_text(session, "t", "{}", NULL));
    CHECK_INT(1, load(&waker.count));
  }

  /* Destroyed while it may be on its way: it runs before destroy returns, or never. */
  how.wake = count_wake;
  for (round = 0; round < 50; ++round) {
    waker_t *mine = (waker_t *)calloc(1, sizeof *mine);
    int seen;
    how.wake_user = mine;
    __atomic_add_fetch(&wakers_made, 1, __ATOMIC_RELEASE);
    watch = open_watch(&how);
    CHECK_OK(append_text(session, "t", "{}", NULL));
    if (round % 2 == 1) sched_yield();
    CHECK_OK(session_watch_destroy(watch));
    seen = load(&mine->count);
    MUST(seen <= 1);
    free(mine); /* a sanitizer would see it come late */
  }
  CHECK_OK(session_destroy(session));
  stop();
}

/* ---- waits ---------------------------------------------------------------------------------- */

static session_watch_t *waiting;
static session_status_t waited;
static char *came;

/* The look that finds it waiting may also meet it on its way in. */
static void *wait_for_more(void *unused) {
  do waited = session_watch_next(waiting, 0, SESSION_WAIT_FOREVER, &came, NULL);
  while (waited == SESSION_E_MISUSE);
  return unused;
}

/* Waits until a second call finds the first one inside. */
static void until_it_waits(void) {
  session_status_t status;
  char *json = NULL;
  while ((status = session_watch_next(waiting, 0, 0, &json, NULL)) == SESSION_OK) {
    session_string_free(json);
    sched_yield();
  }
  CHECK_STATUS(SESSION_E_MISUSE, status);
}

static void waits_and_misuse(void) {
  session_t *session;
  char *json = (char *)&waited;
  size_t length = 7;
  intptr_t fd = 7;
  threads_t threads = {{0}, 0};

  start();
  session = create(NULL, NULL);
  waiting = open_watch(NULL);
  CHECK_STATUS(SESSION_E_INVALID_HANDLE, session_update_title(NULL, "t")); /* sets the error */
  CHECK_INT(SESSION_E_TIMEOUT, session_watch_next(waiting, 0, 5, &json, &length));
  CHECK(json == NULL && length == 0);
  CHECK_INT(SESSION_E_INVALID_HANDLE, session_last_error()->status); /* left alone */

  threads_start(&threads, wait_for_more, NULL);
  until_it_waits();
  CHECK_STATUS(SESSION_E_MISUSE, session_watch_get_fd(waiting, SESSION_FD_DUPLICATE, &fd));
  CHECK(fd == -1);
  CHECK_OK(append_text(session, "t", "{}", NULL));
  threads_join(&threads);
  CHECK_OK(waited);
  CHECK_HAS(came, "\"kind\":\"event_appended\"");
  session_string_free(came);

  CHECK_STATUS(SESSION_E_INVALID_HANDLE, session_update_title(NULL, "t"));
  threads_start(&threads, wait_for_more, NULL);
  until_it_waits();
  CHECK_OK(session_watch_destroy(waiting)); /* from another thread */
  threads_join(&threads);
  CHECK_INT(SESSION_E_CANCELLED, waited);
  CHECK(came == NULL);

  waiting = open_watch(NULL);
  threads_start(&threads, wait_for_more, NULL);
  until_it_waits();
  CHECK_OK(session_store_close(store));
  threads_join(&threads);
  CHECK_INT(SESSION_E_CLOSED, waited);
  CHECK_STATUS(SESSION_E_CLOSED, session_watch_next(waiting, 0, 0, &json, NULL));
  CHECK_OK(session_watch_destroy(waiting));
  CHECK_INT(SESSION_E_CLOSED, session_last_error()->status); /* left alone */
  CHECK_OK(session_destroy(session));
  folder_remove(folder);
}

/* ---- processes ------------------------------------------------------------------------------ */

static void changes_of_another_process(void) {
  session_watch_options_t how = SESSION_INIT(session_watch_options_t);
  session_watch_t *watch;
  session_watch_t *merged;
  session_t *session;
  process_t process;
  intptr_t fd = -1;
  char id[160];
  char by[64];
  char *json;
  int told = 0;
  int texts = 0;
  int ended = 0;

  start();
  session = create(NULL, NULL);
  id_of(session, id, sizeof id);
  how.session_id = id;
  watch = open_watch(&how);
  how.flags = SESSION_WATCH_COALESCE;
  merged = open_watch(&how);
  CHECK_OK(session_watch_get_fd(watch, 0, &fd));
  process = process_start("changes", id);
  snprintf(by, sizeof by, "\"by\":{\"pid\":%d,", (int)process.id);
  while (ended == 0 && CHECK(is_readable(fd, GUARD_MS))) {
    json = next(watch, 0);
    CHECK_LACKS(json, "\"kind\":\"gap\"");
    told += text_count(json, "\"detail\":{\"seq\":");
    if (text_count(json, "\"kind\":\"event_appended\"") > 0) CHECK_HAS(json, by);
    texts += text_count(json, "\"text\":\"hello\"");
    ended += text_count(json, "\"kind\":\"stream_ended\"");
    session_string_free(json);
  }
  CHECK(told == THEIRS || told == THEIRS + 1); /* the one of the stream may be told as its end */
  CHECK_INT(1, texts);
  CHECK_INT(1, ended);
  process_end(&process);
  json = next(merged, 0);
  CHECK_INT(1, text_count(json, "\"kind\":\"changed\""));
  CHECK_HAS(json, "\"last_seq\":51,");
  session_string_free(json);
  CHECK_OK(session_watch_destroy(merged));
  CHECK_OK(session_watch_destroy(watch));
  CHECK_OK(session_destroy(session));
  stop();
}

int main(int count, char **arguments) {
  if (count == 4) return second_main(arguments[1], arguments[2], arguments[3]);
  processes_begin(arguments);
  RUN(changes_are_told);
  RUN(filters_and_positions);
  RUN(a_slow_reader_misses_nothing);
  RUN(coalesced);
  RUN(the_socket_says_when);
  RUN(wakes);
  RUN(waits_and_misuse);
  RUN(changes_of_another_process);
  return check_done("watch");
}
