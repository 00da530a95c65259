/* sessions/events.h: text that arrives in pieces, who sees it, and what it becomes. */
#include "one_store.h"
#include "threads.h"

static session_stream_t *begin(session_t *session, const char *turn, const char *id) {
  session_append_options_t options = SESSION_INIT(session_append_options_t);
  session_stream_t *stream = NULL;
  options.turn_id = turn;
  options.id = id;
  CHECK_OK(session_stream_begin(session, "agent_message", &options, &stream));
  CHECK(stream != NULL);
  return stream;
}

static session_status_t write_text(session_stream_t *stream, const char *text) {
  return session_stream_write(stream, text, strlen(text));
}

static char *read_streams(session_t *session, const char *id, uint64_t from) {
  char *json = NULL;
  size_t length = 0;
  CHECK_OK(session_read_streams(session, id, from, &json, &length));
  CHECK_INT(length, json == NULL ? 0 : strlen(json));
  return json;
}

#define CHECK_STREAMS(session, part) \
  do { \
    char *streams_ = read_streams(session, NULL, 0); \
    CHECK_HAS(streams_, part); \
    session_string_free(streams_); \
  } while (0)

/* The data of the last event. */
#define CHECK_LAST(session, data) \
  do { \
    char *page_ = NULL; \
    CHECK_OK(session_read_last_events(session, 0, 1, &page_, NULL)); \
    CHECK_HAS(page_, "\"data\":" data "}]"); \
    session_string_free(page_); \
  } while (0)

static void text_becomes_one_event(void) {
  session_t *session;
  session_stream_t *stream;
  session_stat_t stat = SESSION_INIT(session_stat_t);
  char id[64];
  char *json;
  uint64_t seq = 7;

  start();
  session = create(NULL, NULL);
  CHECK_STREAMS(session, "{\"streams\":[]}");
  stream = begin(session, "t-3", NULL);
  CHECK_OK(write_text(stream, "Work"));
  CHECK_OK(session_stream_write(stream, "in\0g\n \"", 7));
  json = read_streams(session, NULL, 0);
  CHECK_HAS(json, "{\"streams\":[{\"stream_id\":\"sm_");
  CHECK_HAS(json, "\",\"type\":\"agent_message\",\"turn_id\":\"t-3\",\"started_at\":");
  CHECK_HAS(json, ",\"offset\":0,\"text\":\"Workin\\u0000g\\n \\\"\",\"bytes\":11}]}");
  json_string(json, "stream_id", id, sizeof id);
  session_string_free(json);
  json = read_streams(session, id, 4);
  CHECK_HAS(json, ",\"offset\":4,\"text\":\"in\\u0000g\\n \\\"\",\"bytes\":11}]}");
  session_string_free(json);
  json = read_streams(session, "sm_0", 0);
  CHECK_STR("{\"streams\":[]}", json);
  session_string_free(json);

  CHECK_OK(session_stream_end(stream, "{\"model\":\"m\"}", &seq));
  CHECK_INT(1, seq);
  CHECK_LAST(session, "{\"text\":\"Workin\\u0000g\\n \\\"\",\"model\":\"m\"}");
  CHECK_STREAMS(session, "{\"streams\":[]}");
  CHECK_OK(session_get_stat(session, &stat));
  CHECK_INT(1, stat.message_count);
  CHECK_OK(session_stream_end(stream, NULL, &seq)); /* again: the same */
  CHECK_INT(1, seq);
  CHECK_STATUS(SESSION_E_INVALID_TRANSITION, session_stream_end(stream, "{}", &seq));
  CHECK_INT(0, seq);
  CHECK_STATUS(SESSION_E_INVALID_TRANSITION, write_text(stream, "late"));
  CHECK_DETAILS("{\"state\":\"ended\",\"event\":\"write\",");
  CHECK_OK(session_stream_destroy(stream));
  CHECK_OK(session_destroy(session));
  stop();
}

static void bad_input(void) {
  session_append_options_t options = SESSION_INIT(session_append_options_t);
  session_t *session;
  session_stream_t *stream = NULL;
  session_stream_t *refused = NULL;
  char *json = NULL;
  char control[] = "a\nb";
  char invalid[] = "a\xFF";

  start();
  session = create(NULL, NULL);
#define REFUSED(status, type, how) \
  refused = (session_stream_t *)folder; \
  CHECK_STATUS(status, session_stream_begin(session, type, how, &refused)); \
  CHECK(refused == NULL)
  REFUSED(SESSION_E_INVALID_ARGUMENT, NULL, NULL);
  REFUSED(SESSION_E_INVALID_ARGUMENT, "", NULL);
  REFUSED(SESSION_E_INVALID_ARGUMENT, control, NULL);
  REFUSED(SESSION_E_INVALID_UTF8, invalid, NULL);
  options.flags = SESSION_APPEND_RELAXED | SESSION_APPEND_DURABLE;
  REFUSED(SESSION_E_INVALID_ARGUMENT, "t", &options);
  options.flags = 0x80;
  REFUSED(SESSION_E_INVALID_ARGUMENT, "t", &options);
  options.flags = 0;
  options.timestamp = -1;
  REFUSED(SESSION_E_INVALID_ARGUMENT, "t", &options);
  options.timestamp = 0;
  options.turn_id = control;
  REFUSED(SESSION_E_INVALID_ARGUMENT, "t", &options);
  options.size = 4;
  REFUSED(SESSION_E_INVALID_ARGUMENT, "t", &options);
  CHECK_STREAMS(session, "{\"streams\":[]}");

  stream = begin(session, NULL, NULL);
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, session_stream_write(stream, NULL, 0));
  CHECK_DETAILS("{\"argument\":\"text\"}");
  CHECK_STATUS(SESSION_E_LIMIT, session_stream_write(stream, "x", SIZE_MAX));
  CHECK_STATUS(SESSION_E_INVALID_UTF8, write_text(stream, "ab\x80"));
  CHECK_INT(2, session_last_error()->offset);
  CHECK_OK(session_stream_write(stream, "", 0));
  CHECK_OK(session_stream_write(stream, "\xE2", 1)); /* a character in three pieces */
  CHECK_STATUS(SESSION_E_INVALID_UTF8, session_stream_end(stream, NULL, NULL));
  CHECK_OK(session_stream_write(stream, "\x82", 1));
  CHECK_STATUS(SESSION_E_INVALID_UTF8, write_text(stream, "x"));
  CHECK_OK(session_stream_write(stream, "\xAC", 1));
  CHECK_STATUS(SESSION_E_INVALID_JSON, session_stream_end(stream, "{", NULL));
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, session_stream_end(stream, "[]", NULL));
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, session_stream_end(stream, "{\"text\":null}", NULL));
  CHECK_DETAILS("{\"argument\":\"data_patch_json\"}");
  CHECK_STATUS(SESSION_E_INVALID_UTF8, session_stream_end(stream, "{\"a\":\"\xFF\"}", NULL));
  CHECK_STREAMS(session, "\"text\":\"\xE2\x82\xAC\"");

  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT,
               session_read_streams(session, "", 0, &json, NULL));
  CHECK_STATUS(SESSION_E_INVALID_UTF8, session_read_streams(session, invalid, 0, &json, NULL));
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT,
               session_read_streams(session, NULL, UINT64_MAX, &json, NULL));
  CHECK(json == NULL);
  CHECK_OK(session_stream_end(stream, NULL, NULL)); /* as if nothing of this had been */
  CHECK_LAST(session, "{\"text\":\"\xE2\x82\xAC\"}");
  CHECK_OK(session_stream_destroy(stream));
  CHECK_OK(session_destroy(session));
  stop();
}

static void turns_aborts_and_deletes(void) {
  session_append_options_t options = SESSION_INIT(session_append_options_t);
  session_t *session;
  session_t *other;
  session_stream_t *stream;
  char id[160];
  uint64_t seq = 0;

  start();
  session = create(NULL, NULL);
  id_of(session, id, sizeof id);
  stream = begin(session, "t", NULL);
  CHECK_OK(write_text(stream, "so far"));
  options.turn_id = "t";
  CHECK_OK(session_append_event_ex(session, "note", "1", 1, &options, &seq));
  CHECK_INT(2, seq);
  CHECK_STATUS(SESSION_E_INVALID_TRANSITION, write_text(stream, "late"));
  CHECK_OK(session_stream_end(stream, NULL, &seq));
  CHECK_INT(1, seq);
  CHECK_OK(session_stream_destroy(stream));

  stream = begin(session, NULL, NULL);
  CHECK_OK(write_text(stream, "so far"));
  CHECK_OK(session_abort(session, NULL));
  CHECK_STATUS(SESSION_E_CANCELLED, write_text(stream, "more"));
  CHECK_OK(session_clear_abort(session));
  CHECK_OK(write_text(stream, ", and on"));
  CHECK_OK(session_destroy(session)); /* a stream does not need the handle it came from */
  CHECK_OK(session_stream_end(stream, NULL, &seq));
  CHECK_INT(3, seq);
  CHECK_OK(session_stream_destroy(stream));

  NEED(session_open(store, id, &session));
  CHECK_LAST(session, "{\"text\":\"so far, and on\"}");
  stream = begin(session, NULL, NULL);
  CHECK_OK(write_text(stream, "cut"));
  CHECK_OK(session_delete(session, SESSION_DELETE_CASCADE));
  CHECK_STATUS(SESSION_E_DELETED, write_text(stream, "x"));
  CHECK_STATUS(SESSION_E_DELETED, session_stream_end(stream, NULL, NULL));
  CHECK_OK(session_restore(store, id));
  NEED(session_open(store, id, &other));
  CHECK_LAST(other, "{\"text\":\"cut\",\"interrupted\":true}");
  CHECK_OK(session_stream_end(stream, NULL, &seq));
  CHECK_INT(4, seq);
  CHECK_OK(session_stream_destroy(stream));
  CHECK_OK(session_destroy(other));
  CHECK_OK(session_destroy(session));
  stop();
}

static void what_is_not_ended_is_interrupted(void) {
  session_t *session;
  session_stream_t *stream;
  session_stream_t *left;
  session_stat_t stat = SESSION_INIT(session_stat_t);
  char id[160];
  uint64_t seq = 0;

  start();
  session = create(NULL, NULL);
  id_of(session, id, sizeof id);
  stream = begin(session, NULL, "k");
  CHECK_OK(write_text(stream, "dropped"));
  CHECK_STATUS(SESSION_E_INVALID_UTF8, write_text(stream, "\xFF"));
  CHECK_OK(session_stream_destroy(stream));
  CHECK_INT(SESSION_E_INVALID_UTF8, session_last_error()->status); /* left alone */
  CHECK_STATUS(SESSION_E_INVALID_HANDLE, session_stream_destroy(stream));
  do { /* the store's own thread does it, sooner or later */
    sched_yield();
    CHECK_OK(session_get_stat(session, &stat));
  } while (stat.last_seq == 0);
  CHECK_LAST(session, "{\"text\":\"dropped\",\"interrupted\":true}");
  stream = begin(session, NULL, "k"); /* its id is free */
  CHECK_OK(write_text(stream, "whole"));
  CHECK_OK(session_stream_end(stream, NULL, &seq));
  CHECK_INT(2, seq);
  CHECK_OK(session_stream_destroy(stream));

  left = begin(session, NULL, NULL);
  CHECK_OK(write_text(left, "left"));
  CHECK_OK(session_store_close(store));
  CHECK_STATUS(SESSION_E_CLOSED, write_text(left, "x"));
  CHECK_STATUS(SESSION_E_CLOSED, session_stream_end(left, NULL, &seq));
  CHECK_INT(0, seq);
  CHECK_OK(session_destroy(session));
  CHECK_OK(session_stream_destroy(left));
  NEED(session_store_open(folder, NULL, &store));
  NEED(session_open(store, id, &session));
  CHECK_LAST(session, "{\"text\":\"left\",\"interrupted\":true}");
  CHECK_OK(session_destroy(session));
  stop();
}

static void shares_and_readers(void) {
  session_share_options_t live = SESSION_INIT(session_share_options_t);
  session_store_options_t reading = SESSION_INIT(session_store_options_t);
  session_store_t *reader = NULL;
  session_t *session;
  session_t *view = NULL;
  session_stream_t *stream;
  session_stream_t *refused = NULL;
  char *json = NULL;
  char secret[128];
  char id[160];

  start();
  session = create(NULL, NULL);
  id_of(session, id, sizeof id);
  stream = begin(session, NULL, NULL);
  CHECK_OK(write_text(stream, "seen"));
  live.flags = SESSION_SHARE_LIVE;
  CHECK_OK(session_create_share(session, &live, &json, NULL));
  NEED(session_resolve_share(store, json_string(json, "secret", secret, sizeof secret), &view));
  session_string_free(json);
  CHECK_STREAMS(view, "\"text\":\"seen\"");
  CHECK_STATUS(SESSION_E_ACCESS_DENIED, session_stream_begin(view, "t", NULL, &refused));
  CHECK_OK(session_destroy(view));
  CHECK_OK(session_create_share(session, NULL, &json, NULL));
  NEED(session_resolve_share(store, json_string(json, "secret", secret, sizeof secret), &view));
  session_string_free(json);
  CHECK_STREAMS(view, "{\"streams\":[]}");
  CHECK_OK(session_destroy(view));

  reading.flags = SESSION_STORE_READ_ONLY;
  NEED(session_store_open(folder, &reading, &reader));
  NEED(session_open(reader, id, &view));
  CHECK_STREAMS(view, "\"text\":\"seen\"");
  CHECK_OK(write_text(stream, " too"));
  CHECK_STREAMS(view, "\"text\":\"seen too\"");
  CHECK_STATUS(SESSION_E_READ_ONLY, session_stream_begin(view, "t", NULL, &refused));
  CHECK(refused == NULL);
  CHECK_OK(session_stream_end(stream, NULL, NULL));
  CHECK_STREAMS(view, "{\"streams\":[]}");
  CHECK_OK(session_destroy(view));
  CHECK_OK(session_store_close(reader));
  CHECK_OK(session_stream_destroy(stream));
  CHECK_OK(session_destroy(session));
  stop();
}

/* ---- threads -------------------------------------------------------------------------------- */

#define WRITERS 6
#define CHUNKS 60

static session_t *shared;
static int writers_gone;

static void *write_stream(void *argument) {
  int number = *(int *)argument;
  char turn[16];
  char text[64];
  session_stream_t *stream;
  int i;
  snprintf(turn, sizeof turn, "t-%d", number);
  stream = begin(shared, turn, NULL);
  for (i = 0; i < CHUNKS; ++i) {
    snprintf(text, sizeof text, "%d:%d ", number, i);
    CHECK_OK(write_text(stream, text));
    if (i % 20 == 10) CHECK_OK(append_text(shared, "note", "1", NULL));
  }
  CHECK_OK(session_stream_end(stream, NULL, NULL));
  CHECK_OK(session_stream_destroy(stream));
  __atomic_add_fetch(&writers_gone, 1, __ATOMIC_RELAXED);
  return NULL;
}

static void *read_along(void *argument) {
  (void)argument;
  while (__atomic_load_n(&writers_gone, __ATOMIC_RELAXED) < WRITERS) {
    char *json = read_streams(shared, NULL, 0);
    const char *text = json;
    while ((text = json_after(text, "text")) != NULL) {
      long worker = strtol(text + 1, NULL, 10); /* each text is one worker's, from its start */
      MUST(text[1] == '"' || (worker >= 0 && worker < WRITERS && strchr(text, ':') != NULL));
    }
    session_string_free(json);
  }
  return NULL;
}

static void streams_of_many_threads(void) {
  threads_t threads = {{0}, 0};
  int numbers[WRITERS];
  char expected[64];
  char *json = NULL;
  int i;

  start();
  shared = create(NULL, NULL);
  for (i = 0; i < WRITERS; ++i) {
    numbers[i] = i;
    threads_start(&threads, write_stream, &numbers[i]);
  }
  threads_start(&threads, read_along, NULL);
  threads_join(&threads);
  CHECK_OK(session_read_events(shared, 0, 0, &json, NULL));
  for (i = 0; i < WRITERS; ++i) {
    snprintf(expected, sizeof expected, "{\"text\":\"%d:0 %d:1 %d:2 ", i, i, i);
    CHECK_INT(1, text_count(json, expected));
    snprintf(expected, sizeof expected, " %d:%d \"}}", i, CHUNKS - 1);
    CHECK_INT(1, text_count(json, expected));
  }
  session_string_free(json);
  CHECK_OK(session_destroy(shared));
  stop();
}

static session_stream_t *one;
static int one_is_over;

static void *write_one(void *argument) {
  int misused = 0;
  int i;
  (void)argument;
  for (i = 0; i < 400; ++i) {
    session_status_t status = write_text(one, "x");
    MUST(status == SESSION_OK || status == SESSION_E_MISUSE || status == SESSION_E_INVALID_HANDLE ||
         status == SESSION_E_CANCELLED);
    misused += status == SESSION_E_MISUSE;
    if (status == SESSION_E_MISUSE) MUST(session_last_error()->status == SESSION_E_MISUSE);
  }
  __atomic_add_fetch(&one_is_over, misused, __ATOMIC_RELAXED);
  return NULL;
}

static void *destroy_one(void *argument) {
  (void)argument;
  sched_yield();
  CHECK_OK(session_stream_destroy(one));
  return NULL;
}

/* Two threads in one stream, and a destroy that races with them: statuses, no harm. */
static void a_stream_is_for_one_thread(void) {
  threads_t threads = {{0}, 0};
  int round;

  start();
  shared = create(NULL, NULL);
  for (round = 0; round < 5; ++round) {
    one = begin(shared, NULL, NULL);
    threads_start(&threads, write_one, NULL);
    threads_start(&threads, write_one, NULL);
    threads_start(&threads, destroy_one, NULL);
    threads_join(&threads);
    CHECK_STATUS(SESSION_E_INVALID_HANDLE, write_text(one, "x"));
  }
  CHECK_OK(session_destroy(shared));
  stop();
}

int main(void) {
  RUN(text_becomes_one_event);
  RUN(bad_input);
  RUN(turns_aborts_and_deletes);
  RUN(what_is_not_ended_is_interrupted);
  RUN(shares_and_readers);
  RUN(streams_of_many_threads);
  RUN(a_stream_is_for_one_thread);
  return check_done("streams");
}
