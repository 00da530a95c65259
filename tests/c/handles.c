/* Every call that takes a handle, with every handle that is none: NULL, stale, freed twice, of the
   wrong type, never given out, garbage. Each answers SESSION_E_INVALID_HANDLE and empty outs. */
#include "check.h"

static int outs_are_clear; /* set by the thunk that ran last */

#define STORE ((session_store_t *)handle)
#define SESSION ((session_t *)handle)
#define STREAM ((session_stream_t *)handle)
#define CURSOR ((session_cursor_t *)handle)
#define JOB ((session_job_t *)handle)
#define WATCH ((session_watch_t *)handle)
#define JSON_CALL(name, call) \
  static session_status_t name(void *handle) { \
    char *json = (char *)&outs_are_clear; \
    size_t length = 7; \
    session_status_t status = call; \
    outs_are_clear = json == NULL && length == 0; \
    return status; \
  }
#define PLAIN_CALL(name, call) \
  static session_status_t name(void *handle) { \
    outs_are_clear = 1; \
    return call; \
  }
#define OUT_CALL(name, type, call) \
  static session_status_t name(void *handle) { \
    type out = (type)7; \
    session_status_t status = call; \
    outs_are_clear = out == (type)0; \
    return status; \
  }

static session_stat_t stat_for_call;
static session_progress_t progress_for_call;

/* store.h */
JSON_CALL(store_get_info, session_store_get_info(STORE, &json, &length))
PLAIN_CALL(store_configure, session_store_configure(STORE, NULL, "{}"))
PLAIN_CALL(store_flush, session_store_flush(STORE))
JSON_CALL(store_verify, session_store_verify(STORE, &json, &length))
JSON_CALL(store_verify_ex,
          session_store_verify_ex(STORE, SESSION_VERIFY_QUICK, &json, &length))
JSON_CALL(store_backup, session_store_backup(STORE, "/proc/nowhere/b", &json, &length))
OUT_CALL(store_purge, uint32_t, session_store_purge(STORE, 1, &out))
PLAIN_CALL(store_close, session_store_close(STORE))
OUT_CALL(job_start, session_job_t *, session_job_start(STORE, "flush", "{}", 2, &out))
/* store.h, on a job */
PLAIN_CALL(job_get_progress, session_job_get_progress(JOB, &progress_for_call))
PLAIN_CALL(job_wait, session_job_wait(JOB, SESSION_WAIT_FOREVER))
JSON_CALL(job_result, session_job_result(JOB, &json, &length))
PLAIN_CALL(job_cancel, session_job_cancel(JOB))
PLAIN_CALL(job_destroy, session_job_destroy(JOB))
/* session.h, on a store */
OUT_CALL(create, session_t *, session_create(STORE, NULL, NULL, &out))
OUT_CALL(open_by_id, session_t *, session_open(STORE, "session_1", &out))
JSON_CALL(get_infos, session_get_infos(STORE, "[]", NULL, &json, &length))
static session_status_t list(void *handle) {
  char *json = (char *)&outs_are_clear;
  char *cursor = json;
  size_t length = 7;
  session_status_t status = session_list(STORE, NULL, &json, &length, &cursor);
  outs_are_clear = json == NULL && cursor == NULL && length == 0;
  return status;
}
PLAIN_CALL(restore, session_restore(STORE, "session_1"))
OUT_CALL(resolve_share, session_t *, session_resolve_share(STORE, "secret", &out))
/* session.h, on a session */
OUT_CALL(get_id, char *, session_get_id(SESSION, &out))
OUT_CALL(get_path, char *, session_get_path(SESSION, &out))
PLAIN_CALL(get_stat, session_get_stat(SESSION, &stat_for_call))
JSON_CALL(get_info, session_get_info(SESSION, &json, &length))
PLAIN_CALL(update_title, session_update_title(SESSION, "title"))
OUT_CALL(suggest_title, int32_t, session_suggest_title(SESSION, "title", &out))
PLAIN_CALL(update_metadata, session_update_metadata(SESSION, "{}"))
OUT_CALL(update, uint64_t, session_update(SESSION, "{}", 0, &out))
PLAIN_CALL(delete_session, session_delete(SESSION, SESSION_DELETE_CASCADE))
PLAIN_CALL(abort_session, session_abort(SESSION, NULL))
OUT_CALL(abort_ex, uint32_t, session_abort_ex(SESSION, NULL, 0, &out))
OUT_CALL(is_aborted, int32_t, session_is_aborted(SESSION, &out))
PLAIN_CALL(wait_abort, session_wait_abort(SESSION, SESSION_WAIT_FOREVER))
PLAIN_CALL(signal_abort, session_signal_abort(SESSION))
PLAIN_CALL(clear_abort, session_clear_abort(SESSION))
JSON_CALL(create_share, session_create_share(SESSION, NULL, &json, &length))
JSON_CALL(list_shares, session_list_shares(SESSION, &json, &length))
PLAIN_CALL(revoke_share, session_revoke_share(SESSION, "sh_0"))
PLAIN_CALL(destroy, session_destroy(SESSION))
/* events.h */
OUT_CALL(append_event, uint64_t, session_append_event(SESSION, "t", "{}", 2, 0, &out))
OUT_CALL(append_event_ex, uint64_t, session_append_event_ex(SESSION, "t", "{}", 2, NULL, &out))
JSON_CALL(append_events, session_append_events(SESSION, "[]", 2, 0, &json, &length))
JSON_CALL(read_events, session_read_events(SESSION, 0, 0, &json, &length))
JSON_CALL(read_last_events, session_read_last_events(SESSION, 0, 0, &json, &length))
JSON_CALL(transcript, session_transcript(SESSION, 0, NULL, &json, &length))
OUT_CALL(fork_session, session_t *, session_fork(SESSION, 0, NULL, &out))
JSON_CALL(tree, session_tree(SESSION, &json, &length))
PLAIN_CALL(rewind_session, session_rewind(SESSION, 0))
PLAIN_CALL(undo_rewind, session_undo_rewind(SESSION))
JSON_CALL(prune, session_prune(SESSION, "{\"max_events\":9}", &json, &length))
JSON_CALL(retain, session_store_retain(STORE, "{\"max_sessions\":9}", &json, &length))
JSON_CALL(repair, session_repair(SESSION, 0, &json, &length))
OUT_CALL(stream_begin, session_stream_t *, session_stream_begin(SESSION, "t", NULL, &out))
JSON_CALL(read_streams, session_read_streams(SESSION, NULL, 0, &json, &length))
/* events.h, on a stream */
PLAIN_CALL(stream_write, session_stream_write(STREAM, "t", 1))
OUT_CALL(stream_end, uint64_t, session_stream_end(STREAM, NULL, &out))
PLAIN_CALL(stream_destroy, session_stream_destroy(STREAM))
JSON_CALL(read_turns, session_read_turns(SESSION, 0, 0, &json, &length))
OUT_CALL(cursor_open, session_cursor_t *, session_cursor_open(SESSION, NULL, &out))
JSON_CALL(put_file, session_put_file(SESSION, "a.txt", "text", 4, &json, &length))
OUT_CALL(get_file_path, char *, session_get_file_path(SESSION, "f_0", &out))
/* events.h, on a cursor */
JSON_CALL(cursor_next,
          session_cursor_next(CURSOR, 0, SESSION_WAIT_FOREVER, &json, &length))
JSON_CALL(cursor_previous, session_cursor_previous(CURSOR, 0, &json, &length))
PLAIN_CALL(cursor_seek, session_cursor_seek(CURSOR, 1))
PLAIN_CALL(cursor_seek_time, session_cursor_seek_time(CURSOR, 1))
PLAIN_CALL(cursor_destroy, session_cursor_destroy(CURSOR))
/* coordination.h, on a session */
PLAIN_CALL(lock, session_lock(SESSION, SESSION_LOCK_TRY, NULL))
PLAIN_CALL(lock_answer, session_lock_answer(SESSION, "lr_1", 0))
JSON_CALL(lock_status, session_lock_status(SESSION, &json, &length))
PLAIN_CALL(set_activity, session_set_activity(SESSION, "idle", NULL))
PLAIN_CALL(unlock, session_unlock(SESSION))
JSON_CALL(queue_add, session_queue_add(SESSION, "{\"message\":\"m\"}", 15, &json, &length))
JSON_CALL(queue_list, session_queue_list(SESSION, &json, &length))
PLAIN_CALL(queue_update, session_queue_update(SESSION, "q-1-00000000", "{}"))
PLAIN_CALL(queue_move, session_queue_move(SESSION, "q-1-00000000", 1))
PLAIN_CALL(queue_remove, session_queue_remove(SESSION, "q-1-00000000"))
OUT_CALL(queue_clear, uint32_t, session_queue_clear(SESSION, &out))
JSON_CALL(queue_claim, session_queue_claim(SESSION, NULL, &json, &length))
OUT_CALL(queue_settle, uint64_t,
         session_queue_settle(SESSION, "q-1-00000000", SESSION_QUEUE_SENT, NULL, &out))
OUT_CALL(queue_next_due, int64_t, session_queue_next_due(SESSION, &out))
JSON_CALL(get_buttons, session_get_buttons(SESSION, &json, &length))
PLAIN_CALL(set_buttons, session_set_buttons(SESSION, "[]", 0))
/* coordination.h, on a store and on a watch */
PLAIN_CALL(release_all_locks, session_release_all_locks(STORE))
OUT_CALL(active_lock_count, uint32_t, session_active_lock_count(STORE, &out))
OUT_CALL(watch_open, session_watch_t *, session_watch_open(STORE, NULL, &out))
JSON_CALL(watch_next, session_watch_next(WATCH, 0, SESSION_WAIT_FOREVER, &json, &length))
static session_status_t watch_get_fd(void *handle) {
  intptr_t out = 7;
  session_status_t status = session_watch_get_fd(WATCH, SESSION_FD_DUPLICATE, &out);
  outs_are_clear = out == -1; /* 0 is a descriptor */
  return status;
}
PLAIN_CALL(watch_destroy, session_watch_destroy(WATCH))

typedef struct entry {
  const char *name;
  session_status_t (*call)(void *handle);
} entry_t;

static const entry_t on_store[] = {
    {"session_store_get_info", store_get_info},
    {"session_store_configure", store_configure},
    {"session_store_flush", store_flush},
    {"session_store_verify", store_verify},
    {"session_store_verify_ex", store_verify_ex},
    {"session_store_backup", store_backup},
    {"session_store_purge", store_purge},
    {"session_store_retain", retain},
    {"session_job_start", job_start},
    {"session_create", create},
    {"session_open", open_by_id},
    {"session_get_infos", get_infos},
    {"session_list", list},
    {"session_restore", restore},
    {"session_resolve_share", resolve_share},
    {"session_release_all_locks", release_all_locks},
    {"session_active_lock_count", active_lock_count},
    {"session_watch_open", watch_open},
    {"session_store_close", store_close},
};

static const entry_t on_session[] = {
    {"session_get_id", get_id},
    {"session_get_path", get_path},
    {"session_get_stat", get_stat},
    {"session_get_info", get_info},
    {"session_update_title", update_title},
    {"session_suggest_title", suggest_title},
    {"session_update_metadata", update_metadata},
    {"session_update", update},
    {"session_delete", delete_session},
    {"session_abort", abort_session},
    {"session_abort_ex", abort_ex},
    {"session_is_aborted", is_aborted},
    {"session_wait_abort", wait_abort},
    {"session_signal_abort", signal_abort},
    {"session_clear_abort", clear_abort},
    {"session_create_share", create_share},
    {"session_list_shares", list_shares},
    {"session_revoke_share", revoke_share},
    {"session_append_event", append_event},
    {"session_append_event_ex", append_event_ex},
    {"session_append_events", append_events},
    {"session_read_events", read_events},
    {"session_read_last_events", read_last_events},
    {"session_transcript", transcript},
    {"session_repair", repair},
    {"session_fork", fork_session},
    {"session_tree", tree},
    {"session_rewind", rewind_session},
    {"session_undo_rewind", undo_rewind},
    {"session_prune", prune},
    {"session_stream_begin", stream_begin},
    {"session_read_streams", read_streams},
    {"session_read_turns", read_turns},
    {"session_cursor_open", cursor_open},
    {"session_put_file", put_file},
    {"session_get_file_path", get_file_path},
    {"session_lock", lock},
    {"session_lock_answer", lock_answer},
    {"session_lock_status", lock_status},
    {"session_set_activity", set_activity},
    {"session_unlock", unlock},
    {"session_queue_add", queue_add},
    {"session_queue_list", queue_list},
    {"session_queue_update", queue_update},
    {"session_queue_move", queue_move},
    {"session_queue_remove", queue_remove},
    {"session_queue_clear", queue_clear},
    {"session_queue_claim", queue_claim},
    {"session_queue_settle", queue_settle},
    {"session_queue_next_due", queue_next_due},
    {"session_get_buttons", get_buttons},
    {"session_set_buttons", set_buttons},
    {"session_destroy", destroy},
};

static const entry_t on_stream[] = {
    {"session_stream_write", stream_write},
    {"session_stream_end", stream_end},
    {"session_stream_destroy", stream_destroy},
};

static const entry_t on_cursor[] = {
    {"session_cursor_next", cursor_next},
    {"session_cursor_previous", cursor_previous},
    {"session_cursor_seek", cursor_seek},
    {"session_cursor_seek_time", cursor_seek_time},
    {"session_cursor_destroy", cursor_destroy},
};

static const entry_t on_job[] = {
    {"session_job_get_progress", job_get_progress},
    {"session_job_wait", job_wait},
    {"session_job_result", job_result},
    {"session_job_cancel", job_cancel},
    {"session_job_destroy", job_destroy},
};

static const entry_t on_watch[] = {
    {"session_watch_next", watch_next},
    {"session_watch_get_fd", watch_get_fd},
    {"session_watch_destroy", watch_destroy},
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* A destroy and what is for signal handlers leave the last error alone, so only the others are asked
   for it. */
static void expect_invalid(const entry_t *entries, size_t count, void *handle, const char *kind) {
  size_t i;
  for (i = 0; i < count; ++i) {
    session_status_t status = entries[i].call(handle);
    int is_destroy = entries[i].call == destroy || entries[i].call == stream_destroy ||
                     entries[i].call == cursor_destroy || entries[i].call == job_destroy ||
                     entries[i].call == watch_destroy;
    if (is_destroy && handle == NULL) {
      CHECK_OK(status);
      continue;
    }
    if (!CHECK_STATUS(SESSION_E_INVALID_HANDLE, status) || !CHECK(outs_are_clear)) {
      printf("    %s with a handle that is %s\n", entries[i].name, kind);
    }
    if (!is_destroy && entries[i].call != signal_abort) {
      CHECK_INT(SESSION_E_INVALID_HANDLE, session_last_error()->status);
    }
  }
}

static void expect_invalid_everywhere(void *handle, const char *kind) {
  expect_invalid(on_store, COUNT(on_store), handle, kind);
  expect_invalid(on_session, COUNT(on_session), handle, kind);
  expect_invalid(on_stream, COUNT(on_stream), handle, kind);
  expect_invalid(on_cursor, COUNT(on_cursor), handle, kind);
  expect_invalid(on_job, COUNT(on_job), handle, kind);
  expect_invalid(on_watch, COUNT(on_watch), handle, kind);
}

static void garbage(void) {
  int local = 0;
  static const uintptr_t numbers[] = {1, 2, 8, 16, 4096, 0x7FFFFFFFu, 0xFFFFFFFFu};
  size_t i;
  expect_invalid_everywhere(NULL, "NULL");
  expect_invalid_everywhere(&local, "an address on the stack");
  expect_invalid_everywhere((void *)on_store, "an address of constants");
  expect_invalid_everywhere((void *)UINTPTR_MAX, "all ones");
  expect_invalid_everywhere((void *)(UINTPTR_MAX / 2), "half of all ones");
  for (i = 0; i < COUNT(numbers); ++i) {
    expect_invalid_everywhere((void *)numbers[i], "a small number");
  }
}

static void neighbours_of_real_handles(void) {
  session_store_t *store = NULL;
  session_t *session = NULL;
  char *folder = folder_make();
  uintptr_t first;
  uintptr_t second;

  NEED(session_store_open(folder, NULL, &store));
  NEED(session_create(store, NULL, NULL, &session));
  first = (uintptr_t)store;
  second = (uintptr_t)session;
  expect_invalid_everywhere((void *)(first + 1), "next to a store");
  expect_invalid_everywhere((void *)(first + 8), "next to a store");
  expect_invalid_everywhere((void *)(second + 1), "next to a session");
  expect_invalid_everywhere((void *)(second - 1), "next to a session");
  expect_invalid_everywhere((void *)(second + 16 * 100000), "not given out yet");

  CHECK_OK(session_destroy(session));
  CHECK_OK(session_store_close(store));
  folder_remove(folder);
}

static void wrong_type(void) {
  session_store_t *store = NULL;
  session_t *session = NULL;
  session_stream_t *stream = NULL;
  session_job_t *job = NULL;
  session_watch_t *watch = NULL;
  char *folder = folder_make();

  NEED(session_store_open(folder, NULL, &store));
  NEED(session_create(store, NULL, NULL, &session));
  NEED(session_stream_begin(session, "t", NULL, &stream));
  NEED(session_watch_open(store, NULL, &watch));
  expect_invalid(on_store, COUNT(on_store), watch, "a watch");
  expect_invalid(on_session, COUNT(on_session), watch, "a watch");
  expect_invalid(on_cursor, COUNT(on_cursor), watch, "a watch");
  expect_invalid(on_watch, COUNT(on_watch), store, "a store");
  expect_invalid(on_watch, COUNT(on_watch), session, "a session");
  CHECK_OK(session_watch_destroy(watch));
  expect_invalid_everywhere(watch, "a destroyed watch");
  expect_invalid(on_store, COUNT(on_store), session, "a session");
  expect_invalid(on_stream, COUNT(on_stream), session, "a session");
  expect_invalid(on_session, COUNT(on_session), store, "a store");
  expect_invalid(on_stream, COUNT(on_stream), store, "a store");
  expect_invalid(on_store, COUNT(on_store), stream, "a stream");
  expect_invalid(on_session, COUNT(on_session), stream, "a stream");
  CHECK_OK(session_stream_end(stream, NULL, NULL));
  CHECK_OK(session_stream_destroy(stream));
  expect_invalid_everywhere(stream, "a destroyed stream");
  expect_invalid(on_cursor, COUNT(on_cursor), store, "a store");
  expect_invalid(on_cursor, COUNT(on_cursor), session, "a session");
  NEED(session_job_start(store, "flush", "{}", 2, &job));
  expect_invalid(on_job, COUNT(on_job), store, "a store");
  expect_invalid(on_job, COUNT(on_job), session, "a session");
  expect_invalid(on_store, COUNT(on_store), job, "a job");
  expect_invalid(on_session, COUNT(on_session), job, "a job");
  CHECK_OK(session_job_wait(job, GUARD_MS));
  CHECK_OK(session_job_destroy(job));
  expect_invalid_everywhere(job, "a destroyed job");

  /* Neither was hurt by it. */
  CHECK_OK(session_update_title(session, "still here"));
  CHECK_OK(session_destroy(session));
  CHECK_OK(session_store_close(store));
  folder_remove(folder);
}

static void stale_and_freed_twice(void) {
  session_store_t *store = NULL;
  session_t *session = NULL;
  session_t *other = NULL;
  char *folder = folder_make();
  int i;

  NEED(session_store_open(folder, NULL, &store));
  NEED(session_create(store, NULL, NULL, &session));
  CHECK_OK(session_destroy(session));
  CHECK_STATUS(SESSION_E_INVALID_HANDLE, session_destroy(session));
  expect_invalid_everywhere(session, "freed");

  /* The number does not come back soon, so a stale handle never means another session. */
  for (i = 0; i < 100; ++i) {
    NEED(session_create(store, NULL, NULL, &other));
    CHECK(other != session);
    CHECK_OK(session_destroy(other));
  }
  expect_invalid_everywhere(session, "freed long ago");

  CHECK_OK(session_store_close(store));
  CHECK_STATUS(SESSION_E_INVALID_HANDLE, session_store_close(store));
  expect_invalid_everywhere(store, "a closed store");
  folder_remove(folder);
}

/* Children of a closed store: memory only, CLOSED, and destroyed in any order. */
static void children_of_a_closed_store(void) {
  session_store_t *store = NULL;
  session_t *first = NULL;
  session_t *second = NULL;
  session_watch_t *watch = NULL;
  char *folder = folder_make();
  size_t i;

  NEED(session_store_open(folder, NULL, &store));
  NEED(session_create(store, NULL, NULL, &first));
  NEED(session_create(store, NULL, NULL, &second));
  NEED(session_watch_open(store, NULL, &watch));
  CHECK_OK(session_store_close(store));
  CHECK_STATUS(SESSION_E_CLOSED, watch_next(watch));
  CHECK(outs_are_clear);
  CHECK_STATUS(SESSION_E_CLOSED, watch_get_fd(watch));
  CHECK(outs_are_clear);
  CHECK_OK(session_watch_destroy(watch));
  for (i = 0; i < COUNT(on_session); ++i) {
    if (on_session[i].call == destroy || on_session[i].call == get_stat) continue;
    if (on_session[i].call == signal_abort) continue; /* is noted, and nothing comes of it */
    if (!CHECK_STATUS(SESSION_E_CLOSED, on_session[i].call(first)) || !CHECK(outs_are_clear)) {
      printf("    %s\n", on_session[i].name);
    }
  }
  session_options_init(&stat_for_call, (uint32_t)sizeof stat_for_call);
  CHECK_STATUS(SESSION_E_CLOSED, session_get_stat(first, &stat_for_call));
  CHECK_OK(session_destroy(second));
  CHECK_OK(session_destroy(first));
  folder_remove(folder);
}

/* Outs that must be there, and are not. Handles are looked at first, so these need real ones. */
static void missing_outs(void) {
  session_store_t *store = NULL;
  session_t *session = NULL;
  session_cursor_t *cursor = NULL;
  session_job_t *job = NULL;
  session_watch_t *watch = NULL;
  char *folder = folder_make();
  char *json = NULL;

  NEED(session_store_open(folder, NULL, &store));
  NEED(session_create(store, NULL, NULL, &session));
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, session_store_open(folder, NULL, NULL));
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, session_store_get_info(store, NULL, NULL));
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, session_store_verify(store, NULL, NULL));
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, session_store_verify_ex(store, 0, NULL, NULL));
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, session_store_backup(store, NULL, &json, NULL));
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, session_store_backup(store, "b", NULL, NULL));
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, session_store_salvage(folder, NULL, NULL, NULL));
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, session_store_configure(store, NULL, NULL));
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, session_create(store, NULL, NULL, NULL));
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, session_open(store, NULL, &session));
  CHECK(session == NULL);
  NEED(session_create(store, NULL, NULL, &session));
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, session_open(store, "session_1", NULL));
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, session_get_id(session, NULL));
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, session_get_path(session, NULL));
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, session_get_stat(session, NULL));
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, session_get_info(session, NULL, NULL));
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, session_get_infos(store, NULL, NULL, &json, NULL));
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, session_get_infos(store, "[]", NULL, NULL, NULL));
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, session_list(store, NULL, NULL, NULL, NULL));
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, session_update_title(session, NULL));
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, session_suggest_title(session, NULL, NULL));
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, session_update_metadata(session, NULL));
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, session_update(session, NULL, 0, NULL));
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, session_restore(store, NULL));
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, session_is_aborted(session, NULL));
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, session_create_share(session, NULL, NULL, NULL));
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, session_list_shares(session, NULL, NULL));
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, session_resolve_share(store, "x", NULL));
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, session_resolve_share(store, NULL, &session));
  CHECK(session == NULL);
  NEED(session_create(store, NULL, NULL, &session));
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, session_revoke_share(session, NULL));
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, session_append_event(session, NULL, "{}", 2, 0, NULL));
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, session_append_event(session, "t", NULL, 2, 0, NULL));
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT,
               session_append_event_ex(session, "t", NULL, 2, NULL, NULL));
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT,
               session_append_events(session, NULL, 2, 0, &json, NULL));
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, session_append_events(session, "[]", 2, 0, NULL, NULL));
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, session_read_events(session, 0, 0, NULL, NULL));
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, session_read_last_events(session, 0, 0, NULL, NULL));
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, session_transcript(session, 0, NULL, NULL, NULL));
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, session_repair(session, 0, NULL, NULL));
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, session_stream_begin(session, "t", NULL, NULL));
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, session_read_streams(session, NULL, 0, NULL, NULL));
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, session_read_turns(session, 0, 0, NULL, NULL));
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, session_cursor_open(session, NULL, NULL));
  NEED(session_cursor_open(session, NULL, &cursor));
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, session_cursor_next(cursor, 0, 0, NULL, NULL));
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, session_cursor_previous(cursor, 0, NULL, NULL));
  CHECK_OK(session_cursor_destroy(cursor));
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, session_job_start(store, NULL, "{}", 2, &job));
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, session_job_start(store, "flush", NULL, 0, &job));
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, session_job_start(store, "flush", "{}", 2, NULL));
  CHECK(job == NULL);
  NEED(session_job_start(store, "flush", "{}", 2, &job));
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, session_job_get_progress(job, NULL));
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, session_job_result(job, NULL, NULL));
  CHECK_OK(session_job_destroy(job));
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, session_put_file(session, NULL, "x", 1, &json, NULL));
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, session_put_file(session, "a", NULL, 1, &json, NULL));
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, session_put_file(session, "a", "x", 1, NULL, NULL));
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, session_get_file_path(session, NULL, &json));
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, session_get_file_path(session, "f_0", NULL));
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, session_lock_answer(session, NULL, 1));
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, session_lock_status(session, NULL, NULL));
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, session_set_activity(session, NULL, NULL));
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, session_watch_open(store, NULL, NULL));
  NEED(session_watch_open(store, NULL, &watch));
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, session_watch_next(watch, 0, 0, NULL, NULL));
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, session_watch_get_fd(watch, 0, NULL));
  CHECK_OK(session_watch_destroy(watch));
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, session_queue_add(session, NULL, 2, &json, NULL));
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, session_queue_add(session, "{}", 2, NULL, NULL));
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, session_queue_list(session, NULL, NULL));
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, session_queue_update(session, NULL, "{}"));
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, session_queue_update(session, "q-1-00000000", NULL));
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, session_queue_move(session, NULL, 1));
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, session_queue_remove(session, NULL));
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, session_queue_claim(session, NULL, NULL, NULL));
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, session_queue_settle(session, NULL, 0, NULL, NULL));
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, session_queue_next_due(session, NULL));
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, session_get_buttons(session, NULL, NULL));
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, session_set_buttons(session, NULL, 0));

  CHECK_OK(session_destroy(session));
  CHECK_OK(session_store_close(store));
  folder_remove(folder);
}

int main(void) {
  session_options_init(&stat_for_call, (uint32_t)sizeof stat_for_call);
  session_options_init(&progress_for_call, (uint32_t)sizeof progress_for_call);
  RUN(garbage);
  RUN(neighbours_of_real_handles);
  RUN(wrong_type);
  RUN(stale_and_freed_twice);
  RUN(children_of_a_closed_store);
  RUN(missing_outs);
  return check_done("handles");
}
