/* sessions/types.h: session_get_error, for hosts that look at an error on another thread. */
#include "one_store.h"
#include "threads.h"

static session_t *session;
static session_status_t answered;

static void *on_a_worker(void *patch) {
  answered = session_update_metadata(session, (const char *)patch);
  return NULL;
}

/* The failure of a call that a worker made, as another thread finds it. */
static char *failure_of(const void *handle, session_status_t status) {
  char *json = NULL;
  size_t length = 0;
  CHECK_OK(session_get_error(handle, status, &json, &length));
  CHECK_INT(length, json == NULL ? 0 : strlen(json));
  return json;
}

static void expect_failure(const void *handle, session_status_t status, const char *part) {
  char *json = failure_of(handle, status);
  CHECK_HAS(json, part);
  session_string_free(json);
}

static void expect_none(const void *handle, session_status_t status) {
  char *json = NULL;
  size_t length = 1;
  CHECK_STATUS(SESSION_E_NOT_FOUND, session_get_error(handle, status, &json, &length));
  CHECK(json == NULL && length == 0);
}

/* A pool of threads makes the calls; session_last_error() of the host's own thread is of others. */
static void a_host_reads_the_error_of_another_thread(void) {
  static char patch[] = "{\"a\":}";
  threads_t workers;
  int i;
  memset(&workers, 0, sizeof workers);
  start();
  session = create(NULL, NULL);
  expect_none(session, SESSION_E_INVALID_JSON);
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, session_update_title(session, NULL));
  threads_start(&workers, on_a_worker, patch);
  threads_join(&workers);
  CHECK_INT(SESSION_E_INVALID_JSON, answered);
  CHECK_INT(SESSION_E_INVALID_ARGUMENT, session_last_error()->status);
  expect_failure(session, SESSION_E_INVALID_JSON, "{\"status\":-5,\"os_error\":0,\"message\":\"");
  expect_failure(session, SESSION_E_INVALID_JSON, "\"details\":{\"argument\":\"merge_patch_json\",");
  expect_failure(session, SESSION_E_INVALID_JSON, ",\"offset\":5}");
  expect_failure(session, SESSION_E_INVALID_ARGUMENT, "\"details\":{\"argument\":\"title\"}");
  CHECK_INT(SESSION_E_NOT_FOUND, (expect_none(session, SESSION_E_BUSY), session_last_error()->status));

  /* The newest of a status counts; asking leaves no failure behind. */
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, session_update_metadata(session, NULL));
  expect_failure(session, SESSION_E_INVALID_ARGUMENT, "\"argument\":\"merge_patch_json\"");
  expect_none(session, SESSION_E_NOT_FOUND);

  /* Eight are kept, and what is no failure takes no place. */
  for (i = 0; i < 7; ++i) {
    CHECK_STATUS(SESSION_E_INVALID_UTF8, session_update_title(session, "\xFF"));
    CHECK_STATUS(SESSION_E_TIMEOUT, session_wait_abort(session, 0));
  }
  expect_failure(session, SESSION_E_INVALID_ARGUMENT, "\"argument\":\"merge_patch_json\"");
  expect_none(session, SESSION_E_INVALID_JSON);
  expect_none(session, SESSION_E_TIMEOUT);
  CHECK_STATUS(SESSION_E_INVALID_UTF8, session_update_title(session, "\xFF"));
  expect_none(session, SESSION_E_INVALID_ARGUMENT);
  CHECK_OK(session_destroy(session));
  stop();
}

static void each_handle_has_its_own(void) {
  session_t *other = NULL;
  session_cursor_t *cursor = NULL;
  session_stream_t *stream = NULL;
  session_watch_t *watch = NULL;
  session_job_t *job = NULL;
  char *json = NULL;

  start();
  session = create(NULL, NULL);
  NEED(session_cursor_open(session, NULL, &cursor));
  NEED(session_stream_begin(session, "agent_message", NULL, &stream));
  NEED(session_watch_open(store, NULL, &watch));
  CHECK_STATUS(SESSION_E_NOT_FOUND, session_open(store, "session_1", &other));
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, session_cursor_next(cursor, 0, 0, NULL, NULL));
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, session_stream_write(stream, NULL, 1));
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, session_watch_next(watch, 0, 0, NULL, NULL));
  NEED(session_job_start(store, "repair", "{\"session_id\":\"session_1\"}", 26, &job));
  CHECK_STATUS(SESSION_E_NOT_FOUND, session_job_wait(job, GUARD_MS) == SESSION_OK
                                        ? session_job_result(job, &json, NULL)
                                        : SESSION_OK);
  expect_failure(store, SESSION_E_NOT_FOUND, "\"session_id\":\"session_1\"");
  expect_failure(cursor, SESSION_E_INVALID_ARGUMENT, "\"argument\":\"out_json\"");
  expect_failure(stream, SESSION_E_INVALID_ARGUMENT, "\"argument\":\"text\"");
  expect_failure(watch, SESSION_E_INVALID_ARGUMENT, "\"argument\":\"out_json\"");
  expect_failure(job, SESSION_E_NOT_FOUND, "\"session_id\":\"session_1\"");
  expect_none(session, SESSION_E_NOT_FOUND);

  CHECK_STATUS(SESSION_E_INVALID_HANDLE, session_get_error(NULL, -1, &json, NULL));
  CHECK_STATUS(SESSION_E_INVALID_HANDLE, session_get_error(&json, -1, &json, NULL));
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, session_get_error(store, SESSION_OK, &json, NULL));
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, session_get_error(store, 1, &json, NULL));
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, session_get_error(store, -20, NULL, NULL));
  CHECK_STATUS(SESSION_E_INVALID_HANDLE, session_update_title((session_t *)store, "t"));
  expect_none(store, SESSION_E_INVALID_HANDLE);

  /* A closed store takes nothing along that its sessions failed with. */
  CHECK_STATUS(SESSION_E_INVALID_UTF8, session_update_title(session, "\xFF"));
  CHECK_OK(session_store_close(store));
  CHECK_STATUS(SESSION_E_CLOSED, session_update_title(session, "t"));
  expect_failure(session, SESSION_E_INVALID_UTF8, "\"argument\":\"title\"");
  expect_failure(session, SESSION_E_CLOSED, "\"details\":{}");
  CHECK_OK(session_stream_destroy(stream));
  CHECK_OK(session_cursor_destroy(cursor));
  CHECK_OK(session_watch_destroy(watch));
  CHECK_OK(session_job_destroy(job));
  CHECK_OK(session_destroy(session));
  CHECK_STATUS(SESSION_E_INVALID_HANDLE, session_get_error(session, -4, &json, NULL));
  folder_remove(folder);
}

int main(void) {
  RUN(a_host_reads_the_error_of_another_thread);
  RUN(each_handle_has_its_own);
  return check_done("errors");
}
