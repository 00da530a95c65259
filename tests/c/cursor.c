/* sessions/events.h: cursors and turns. */
#include "one_store.h"
#include "threads.h"

static session_cursor_t *open_cursor(session_t *session, const session_cursor_options_t *options) {
  session_cursor_t *cursor = NULL;
  CHECK_OK(session_cursor_open(session, options, &cursor));
  return cursor;
}

static char *next_page(session_cursor_t *cursor, uint32_t limit) {
  char *json = NULL;
  size_t length = 0;
  CHECK_OK(session_cursor_next(cursor, limit, 0, &json, &length));
  CHECK_INT(length, json == NULL ? 0 : strlen(json));
  return json;
}

static void expect_seqs(char *json, int first, int last) {
  char text[32];
  CHECK_INT(last - first + 1, text_count(json, "{\"seq\":"));
  if (first <= last) {
    snprintf(text, sizeof text, "{\"events\":[{\"seq\":%d,", first);
    CHECK_HAS(json, text);
  }
  session_string_free(json);
}

static void both_ways(void) {
  session_t *session;
  session_cursor_t *cursor;
  char *json = NULL;
  size_t length = 0;
  int i;

  start();
  session = create(NULL, NULL);
  for (i = 1; i <= 9; ++i) CHECK_OK(append_text(session, "t", "{}", NULL));
  cursor = open_cursor(session, NULL);
  CHECK_OK(session_destroy(session)); /* the cursor has a view of its own */
  expect_seqs(next_page(cursor, 4), 1, 4);
  expect_seqs(next_page(cursor, 0), 5, 9);
  expect_seqs(next_page(cursor, 0), 1, 0);
  CHECK_OK(session_cursor_previous(cursor, 2, &json, &length));
  CHECK_INT(length, strlen(json));
  CHECK_HAS(json, "\"has_more\":true");
  expect_seqs(json, 8, 9);
  CHECK_OK(session_cursor_seek(cursor, 3));
  CHECK_OK(session_cursor_previous(cursor, 0, &json, NULL));
  CHECK_HAS(json, "\"has_more\":false");
  expect_seqs(json, 1, 3);
  CHECK_OK(session_cursor_seek_time(cursor, 0));
  expect_seqs(next_page(cursor, 1), 1, 1);
  CHECK_OK(session_cursor_seek_time(cursor, INT64_C(9007199254740991)));
  expect_seqs(next_page(cursor, 1), 1, 0);
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, session_cursor_seek(cursor, UINT64_MAX));
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, session_cursor_seek_time(cursor, -1));
  CHECK_OK(session_cursor_destroy(cursor));
  stop();
}

static void options_of_a_cursor(void) {
  session_cursor_options_t how = SESSION_INIT(session_cursor_options_t);
  session_append_options_t in_turn = SESSION_INIT(session_append_options_t);
  session_cursor_t *cursor = NULL;
  session_t *session;
  char *json;

  start();
  session = create(NULL, NULL);
  in_turn.turn_id = "t-1";
  in_turn.timestamp = 5000;
  CHECK_OK(append_text(session, "user_prompt", "1", NULL));
  CHECK_OK(session_append_event_ex(session, "tool_call", "{\"a\":[\"x\"]}", 11, &in_turn, NULL));
  CHECK_OK(session_append_event_ex(session, "custom:b", "12345678901234567890", 20, &in_turn, NULL));
  how.types = "tool_call,custom:*";
  how.turn_id = "t-1";
  how.since = 5000;
  how.until = 5000;
  how.after_seq = 1;
  how.page_bytes = 1;
  how.flags = SESSION_READ_DATA_AS_TEXT | SESSION_READ_HIDDEN | SESSION_READ_CONTEXT;
  cursor = open_cursor(session, &how);
  json = next_page(cursor, 0);
  CHECK_HAS(json, "{\"events\":[{\"seq\":2,\"type\":\"tool_call\",\"timestamp\":5000,"
                  "\"turn_id\":\"t-1\",\"data\":\"{\\\"a\\\":[\\\"x\\\"]}\"}],\"skipped\":[],");
  CHECK_HAS(json, "\"has_more\":true}");
  session_string_free(json);
  json = next_page(cursor, 0);
  CHECK_HAS(json, "\"data\":\"12345678901234567890\"}]");
  session_string_free(json);
  CHECK_OK(session_cursor_destroy(cursor));

  how.types = "a,,b";
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, session_cursor_open(session, &how, &cursor));
  CHECK_DETAILS("{\"argument\":\"types\"}");
  CHECK(cursor == NULL);
  how.types = NULL;
  how.until = 1;
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, session_cursor_open(session, &how, &cursor));
  how.until = 0;
  how.page_bytes = 64 * 1024 * 1024 + 1;
  CHECK_STATUS(SESSION_E_LIMIT, session_cursor_open(session, &how, &cursor));
  CHECK_DETAILS("{\"limit\":\"page_bytes_max\",\"max\":67108864,\"actual\":67108865}");
  how.page_bytes = 0;
  how.flags = 8;
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, session_cursor_open(session, &how, &cursor));
  CHECK_DETAILS("\"unknown_bits\":8");
  CHECK_OK(session_destroy(session));
  stop();
}

static void turns(void) {
  session_append_options_t how = SESSION_INIT(session_append_options_t);
  session_t *session;
  char *json = NULL;
  size_t length = 0;

  start();
  session = create(NULL, NULL);
  CHECK_OK(append_text(session, "session_start", "{}", NULL));
  how.timestamp = 7;
  how.turn_id = "t-1";
  CHECK_OK(session_append_event_ex(session, "user_prompt", "{}", 2, &how, NULL));
  how.timestamp = 9;
  CHECK_OK(session_append_event_ex(session, "turn_end", "{}", 2, &how, NULL));
  CHECK_OK(session_read_turns(session, 0, 0, &json, &length));
  CHECK_INT(length, strlen(json));
  CHECK_HAS(json, "{\"turns\":[{\"turn_id\":null,\"first_seq\":1,\"last_seq\":1,\"started_at\":");
  CHECK_HAS(json, "{\"turn_id\":\"t-1\",\"first_seq\":2,\"last_seq\":3,\"started_at\":7,\"ended_at\":9,"
                  "\"event_count\":2,\"events\":[{\"seq\":2,");
  CHECK_HAS(json, "],\"skipped\":[],\"next_after_seq\":3,\"previous_before_seq\":1,\"last_seq\":3,"
                  "\"has_more\":false}");
  session_string_free(json);
  CHECK_OK(session_read_turns(session, 0, 1, &json, NULL));
  CHECK_HAS(json, "\"next_after_seq\":1,");
  CHECK_HAS(json, "\"has_more\":true}");
  session_string_free(json);
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT,
               session_read_turns(session, UINT64_MAX, 0, &json, NULL));
  CHECK(json == NULL);
  CHECK_OK(session_destroy(session));
  stop();
}

static session_cursor_t *waiting;
static session_status_t waited;
static char *came;

/* The look that finds it waiting may also meet it on its way in. */
static void *wait_for_more(void *unused) {
  (void)unused;
  do waited = session_cursor_next(waiting, 0, SESSION_WAIT_FOREVER, &came, NULL);
  while (waited == SESSION_E_MISUSE);
  return NULL;
}

/* Waits until a second call finds the first one inside. */
static void until_it_waits(void) {
  session_status_t status;
  char *json = NULL;
  while ((status = session_cursor_next(waiting, 0, 0, &json, NULL)) == SESSION_OK) {
    session_string_free(json);
    sched_yield();
  }
  CHECK_STATUS(SESSION_E_MISUSE, status);
}

static void waits_and_misuse(void) {
  session_t *session;
  char *json = (char *)&waited;
  size_t length = 7;
  threads_t threads = {{0}, 0};

  start();
  session = create(NULL, NULL);
  waiting = open_cursor(session, NULL);
  CHECK_STATUS(SESSION_E_INVALID_HANDLE, session_update_title(NULL, "t")); /* sets the error */
  CHECK_INT(SESSION_E_TIMEOUT, session_cursor_next(waiting, 0, 5, &json, &length));
  CHECK(json == NULL && length == 0);
  CHECK_INT(SESSION_E_INVALID_HANDLE, session_last_error()->status); /* left alone */

  threads_start(&threads, wait_for_more, NULL);
  until_it_waits();
  CHECK_STATUS(SESSION_E_MISUSE, session_cursor_seek(waiting, 0));
  CHECK_OK(append_text(session, "t", "{}", NULL));
  threads_join(&threads);
  CHECK_OK(waited);
  expect_seqs(came, 1, 1);

  threads_start(&threads, wait_for_more, NULL);
  until_it_waits();
  CHECK_OK(session_delete(session, SESSION_DELETE_CASCADE));
  threads_join(&threads);
  CHECK_INT(SESSION_E_DELETED, waited);
  CHECK_STATUS(SESSION_E_DELETED, session_cursor_seek(waiting, 0));
  CHECK_OK(session_cursor_destroy(waiting));
  CHECK_OK(session_destroy(session));

  session = create(NULL, NULL);
  waiting = open_cursor(session, NULL);
  threads_start(&threads, wait_for_more, NULL);
  until_it_waits();
  CHECK_OK(session_cursor_destroy(waiting)); /* from another thread */
  threads_join(&threads);
  CHECK_INT(SESSION_E_CANCELLED, waited);

  waiting = open_cursor(session, NULL);
  threads_start(&threads, wait_for_more, NULL);
  until_it_waits();
  CHECK_OK(session_store_close(store));
  threads_join(&threads);
  CHECK_INT(SESSION_E_CLOSED, waited);
  CHECK_OK(session_cursor_destroy(waiting));
  CHECK_OK(session_destroy(session));
  folder_remove(folder);
}

int main(void) {
  RUN(both_ways);
  RUN(options_of_a_cursor);
  RUN(turns);
  RUN(waits_and_misuse);
  return check_done("cursor");
}
