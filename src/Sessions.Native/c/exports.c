/* The exported calls: each asks whether the runtime may be entered, then goes there. */
#include "boundary.h"
#include "plue_session.h"
#include "sessions.h"

#define CLEAR(out) ((out) != NULL ? (void)(*(out) = 0) : (void)0)
#define NOTHING (void)0

/* Ends a call on a handle. What it failed with is kept for session_get_error; that the time is over
 * is an answer, and no failure. */
static session_status_t ended(const void *handle, session_status_t answer)
{
  void managed_keep_error(const void *);
  if (answer < 0 && answer != SESSION_E_TIMEOUT)
    managed_keep_error(handle);
  SESSIONS_END();
  return answer;
}

#define FIRST(...) FIRST_(__VA_ARGS__, 0)
#define FIRST_(first, ...) (first)

/* A call on a handle, which is its first argument, that answers a status. `clear` empties the
 * out-parameters where the runtime is not entered to do it. */
#define CALL(name, parameters, arguments, clear)                                                  \
  session_status_t managed_##name parameters;                                                     \
  SESSION_API session_status_t name parameters                                                    \
  {                                                                                               \
    SESSIONS_BEGIN(clear; return status);                                                         \
    return ended(FIRST arguments, managed_##name arguments);                                      \
  }

/* The same for a call that has no handle, or whose failures are not the handle's. */
#define FREE_CALL(name, parameters, arguments, clear)                                                  \
  session_status_t managed_##name parameters;                                                     \
  SESSION_API session_status_t name parameters                                                \
  {                                                                                               \
    SESSIONS_BEGIN(clear; return status);                                                         \
    session_status_t answer = managed_##name arguments;                                           \
    SESSIONS_END();                                                                               \
    return answer;                                                                                \
  }

/* A call that makes a session, which a signal handler may then abort. */
#define MAKES_SESSION(name, parameters, arguments, out)                                           \
  session_status_t managed_##name parameters;                                                     \
  SESSION_API session_status_t name parameters                                                    \
  {                                                                                               \
    SESSIONS_BEGIN(CLEAR(out); return status);                                                    \
    session_status_t answer = managed_##name arguments;                                           \
    if (answer == SESSION_OK)                                                                     \
      sessions_aborts_allow(*out);                                                                \
    return ended(FIRST arguments, answer);                                                        \
  }

/* Whether a destroy call, which leaves the thread's error alone, may go on. It does not start the
 * runtime, because before that there is nothing to destroy. */
static session_status_t may_destroy(void)
{
  switch (SESSIONS_LOAD(sessions_state)) {
  case SESSIONS_READY:
    return sessions_gate == SESSIONS_INSIDE ? SESSION_E_MISUSE : SESSION_OK;
  case SESSIONS_FORKED:
    return SESSION_E_FORKED;
  default:
    return SESSION_E_INVALID_HANDLE;
  }
}

#define DESTROY(name, type, before, after)                                                        \
  session_status_t managed_##name(type *handle);                                                  \
  SESSION_API session_status_t name(type *handle)                                                 \
  {                                                                                               \
    if (handle == NULL)                                                                           \
      return SESSION_OK;                                                                          \
    session_status_t answer = may_destroy();                                                      \
    if (answer == SESSION_OK) {                                                                   \
      sessions_gate = SESSIONS_INSIDE;                                                            \
      before;                                                                                     \
      answer = managed_##name(handle);                                                            \
      after;                                                                                      \
      SESSIONS_END();                                                                             \
    }                                                                                             \
    return answer;                                                                                \
  }

#define JSON_OUT char **out_json, size_t *out_length
#define CLEAR_JSON CLEAR(out_json), CLEAR(out_length)

/* ---- types.h ---- */

FREE_CALL(session_abi_json, (JSON_OUT), (out_json, out_length), (CLEAR_JSON))
FREE_CALL(session_log_read, (uint64_t after, uint32_t limit, JSON_OUT),
     (after, limit, out_json, out_length), (CLEAR_JSON))

FREE_CALL(session_get_error, (const void *handle, session_status_t status, JSON_OUT),
     (handle, status, out_json, out_length), (CLEAR_JSON))

SESSION_API session_status_t session_shutdown(uint32_t timeout_ms)
{
  session_status_t managed_session_shutdown(uint32_t);
  if (SESSIONS_LOAD(sessions_state) == SESSIONS_NEW)
    return SESSION_OK; /* nothing was opened */
  SESSIONS_BEGIN(return status);
  sessions_aborts_finish();
  session_status_t answer = managed_session_shutdown(timeout_ms);
  if (answer != SESSION_E_TIMEOUT) /* else somebody is still at work, and it may be that thread */
    sessions_aborts_end();
  SESSIONS_END();
  return answer;
}

/* ---- store.h ---- */

FREE_CALL(session_store_open,
     (const char *path, const session_store_options_t *options, session_store_t **out_store),
     (path, options, out_store), (CLEAR(out_store)))
CALL(session_store_get_info, (session_store_t *store, JSON_OUT), (store, out_json, out_length),
     (CLEAR_JSON))
CALL(session_store_configure,
     (session_store_t *store, const char *workspace_id, const char *merge_patch_json),
     (store, workspace_id, merge_patch_json), NOTHING)
CALL(session_store_flush, (session_store_t *store), (store), NOTHING)
CALL(session_store_verify, (session_store_t *store, JSON_OUT), (store, out_json, out_length),
     (CLEAR_JSON))
CALL(session_store_verify_ex,
     (session_store_t *store, uint32_t flags, JSON_OUT), (store, flags, out_json, out_length),
     (CLEAR_JSON))
CALL(session_store_purge, (session_store_t *store, int64_t deleted_before, uint32_t *out_count),
     (store, deleted_before, out_count), (CLEAR(out_count)))
CALL(session_store_backup, (session_store_t *store, const char *path, JSON_OUT),
     (store, path, out_json, out_length), (CLEAR_JSON))
FREE_CALL(session_store_salvage, (const char *path, const char *options_json, JSON_OUT),
     (path, options_json, out_json, out_length), (CLEAR_JSON))

SESSION_API session_status_t session_store_close(session_store_t *store)
{
  session_status_t managed_session_store_close(session_store_t *);
  SESSIONS_BEGIN(return status);
  sessions_aborts_finish(); /* what was asked for while the store was open is recorded in it */
  session_status_t answer = managed_session_store_close(store);
  SESSIONS_END();
  return answer;
}

CALL(session_job_start,
     (session_store_t *store, const char *kind, const char *args_json, size_t args_length,
      session_job_t **out_job),
     (store, kind, args_json, args_length, out_job), (CLEAR(out_job)))
CALL(session_job_get_progress, (session_job_t *job, session_progress_t *out_progress),
     (job, out_progress), NOTHING)
CALL(session_job_wait, (session_job_t *job, uint32_t timeout_ms), (job, timeout_ms), NOTHING)
CALL(session_job_result, (session_job_t *job, JSON_OUT), (job, out_json, out_length), (CLEAR_JSON))
CALL(session_job_cancel, (session_job_t *job), (job), NOTHING)
DESTROY(session_job_destroy, session_job_t, NOTHING, NOTHING)

/* ---- session.h ---- */

MAKES_SESSION(session_create,
     (session_store_t *store, const char *parent_id, const session_create_options_t *options,
      session_t **out_session),
     (store, parent_id, options, out_session), out_session)
MAKES_SESSION(session_open, (session_store_t *store, const char *id, session_t **out_session),
     (store, id, out_session), out_session)
CALL(session_get_id, (session_t *session, char **out_id), (session, out_id), (CLEAR(out_id)))
CALL(session_get_path, (session_t *session, char **out_path), (session, out_path),
     (CLEAR(out_path)))
CALL(session_get_stat, (session_t *session, session_stat_t *out_stat), (session, out_stat), NOTHING)
CALL(session_get_info, (session_t *session, JSON_OUT), (session, out_json, out_length),
     (CLEAR_JSON))
CALL(session_get_infos,
     (session_store_t *store, const char *ids_json, const char *fields, JSON_OUT),
     (store, ids_json, fields, out_json, out_length), (CLEAR_JSON))
CALL(session_list,
     (session_store_t *store, const session_list_options_t *options, JSON_OUT,
      char **out_next_cursor),
     (store, options, out_json, out_length, out_next_cursor), (CLEAR_JSON, CLEAR(out_next_cursor)))
CALL(session_update_title, (session_t *session, const char *title), (session, title), NOTHING)
CALL(session_suggest_title, (session_t *session, const char *title, int32_t *out_applied),
     (session, title, out_applied), (CLEAR(out_applied)))
CALL(session_update_metadata, (session_t *session, const char *merge_patch_json),
     (session, merge_patch_json), NOTHING)
CALL(session_update,
     (session_t *session, const char *merge_patch_json, uint64_t expected_revision,
      uint64_t *out_revision),
     (session, merge_patch_json, expected_revision, out_revision), (CLEAR(out_revision)))
CALL(session_delete, (session_t *session, int32_t policy), (session, policy), NOTHING)
CALL(session_restore, (session_store_t *store, const char *id), (store, id), NOTHING)
CALL(session_abort, (session_t *session, const char *reason), (session, reason), NOTHING)
CALL(session_abort_ex,
     (session_t *session, const char *reason, uint32_t flags, uint32_t *out_count),
     (session, reason, flags, out_count), (CLEAR(out_count)))
CALL(session_is_aborted, (session_t *session, int32_t *out_aborted), (session, out_aborted),
     (CLEAR(out_aborted)))
CALL(session_wait_abort, (session_t *session, uint32_t timeout_ms), (session, timeout_ms), NOTHING)
CALL(session_clear_abort, (session_t *session), (session), NOTHING)
CALL(session_create_share,
     (session_t *session, const session_share_options_t *options, JSON_OUT),
     (session, options, out_json, out_length), (CLEAR_JSON))
CALL(session_list_shares, (session_t *session, JSON_OUT), (session, out_json, out_length),
     (CLEAR_JSON))
MAKES_SESSION(session_resolve_share,
     (session_store_t *store, const char *secret_or_url, session_t **out_session),
     (store, secret_or_url, out_session), out_session)
CALL(session_revoke_share, (session_t *session, const char *share_id), (session, share_id),
     NOTHING)
DESTROY(session_destroy, session_t, sessions_aborts_take(),
        answer == SESSION_OK ? sessions_aborts_forbid(handle) : NOTHING)

/* ---- events.h ---- */

CALL(session_append_event,
     (session_t *session, const char *type, const char *data_json, size_t data_length,
      uint32_t flags, uint64_t *out_seq),
     (session, type, data_json, data_length, flags, out_seq), (CLEAR(out_seq)))
CALL(session_append_event_ex,
     (session_t *session, const char *type, const char *data_json, size_t data_length,
      const session_append_options_t *options, uint64_t *out_seq),
     (session, type, data_json, data_length, options, out_seq), (CLEAR(out_seq)))
CALL(session_append_events,
     (session_t *session, const char *events_json, size_t length, uint32_t flags, JSON_OUT),
     (session, events_json, length, flags, out_json, out_length), (CLEAR_JSON))
CALL(session_read_events, (session_t *session, uint64_t after_seq, uint32_t limit, JSON_OUT),
     (session, after_seq, limit, out_json, out_length), (CLEAR_JSON))
CALL(session_read_last_events,
     (session_t *session, uint64_t before_seq, uint32_t limit, JSON_OUT),
     (session, before_seq, limit, out_json, out_length), (CLEAR_JSON))
CALL(session_repair, (session_t *session, uint32_t flags, JSON_OUT),
     (session, flags, out_json, out_length), (CLEAR_JSON))

CALL(session_transcript,
     (session_t *session, int32_t format, const char *options_json, JSON_OUT),
     (session, format, options_json, out_json, out_length), (CLEAR_JSON))
CALL(session_stream_begin,
     (session_t *session, const char *type, const session_append_options_t *options,
      session_stream_t **out_stream),
     (session, type, options, out_stream), (CLEAR(out_stream)))
CALL(session_stream_write, (session_stream_t *stream, const char *text, size_t length),
     (stream, text, length), NOTHING)
CALL(session_stream_end,
     (session_stream_t *stream, const char *data_patch_json, uint64_t *out_seq),
     (stream, data_patch_json, out_seq), (CLEAR(out_seq)))
DESTROY(session_stream_destroy, session_stream_t, NOTHING, NOTHING)
CALL(session_read_streams,
     (session_t *session, const char *stream_id, uint64_t from_offset, JSON_OUT),
     (session, stream_id, from_offset, out_json, out_length), (CLEAR_JSON))
CALL(session_read_turns, (session_t *session, uint64_t after_seq, uint32_t limit, JSON_OUT),
     (session, after_seq, limit, out_json, out_length), (CLEAR_JSON))
CALL(session_cursor_open,
     (session_t *session, const session_cursor_options_t *options, session_cursor_t **out_cursor),
     (session, options, out_cursor), (CLEAR(out_cursor)))
CALL(session_cursor_next,
     (session_cursor_t *cursor, uint32_t limit, uint32_t timeout_ms, JSON_OUT),
     (cursor, limit, timeout_ms, out_json, out_length), (CLEAR_JSON))
CALL(session_cursor_previous, (session_cursor_t *cursor, uint32_t limit, JSON_OUT),
     (cursor, limit, out_json, out_length), (CLEAR_JSON))
CALL(session_cursor_seek, (session_cursor_t *cursor, uint64_t after_seq), (cursor, after_seq),
     NOTHING)
CALL(session_cursor_seek_time, (session_cursor_t *cursor, int64_t at), (cursor, at), NOTHING)
DESTROY(session_cursor_destroy, session_cursor_t, NOTHING, NOTHING)
MAKES_SESSION(session_fork,
     (session_t *session, uint64_t at_seq, const session_create_options_t *options,
      session_t **out_child),
     (session, at_seq, options, out_child), out_child)
CALL(session_tree, (session_t *session, JSON_OUT), (session, out_json, out_length), (CLEAR_JSON))
CALL(session_rewind, (session_t *session, uint64_t to_seq), (session, to_seq), NOTHING)
CALL(session_undo_rewind, (session_t *session), (session), NOTHING)
CALL(session_prune, (session_t *session, const char *options_json, JSON_OUT),
     (session, options_json, out_json, out_length), (CLEAR_JSON))
CALL(session_store_retain, (session_store_t *store, const char *policy_json, JSON_OUT),
     (store, policy_json, out_json, out_length), (CLEAR_JSON))
CALL(session_put_file,
     (session_t *session, const char *name, const void *data, size_t length, JSON_OUT),
     (session, name, data, length, out_json, out_length), (CLEAR_JSON))
CALL(session_get_file_path, (session_t *session, const char *file_id, char **out_path),
     (session, file_id, out_path), (CLEAR(out_path)))

/* ---- coordination.h ---- */

CALL(session_lock, (session_t *session, int32_t mode, const session_lock_options_t *options),
     (session, mode, options), NOTHING)
CALL(session_lock_answer, (session_t *session, const char *request_id, int32_t accept),
     (session, request_id, accept), NOTHING)
CALL(session_lock_status, (session_t *session, JSON_OUT), (session, out_json, out_length),
     (CLEAR_JSON))
CALL(session_set_activity, (session_t *session, const char *status, const char *message),
     (session, status, message), NOTHING)
CALL(session_unlock, (session_t *session), (session), NOTHING)
CALL(session_release_all_locks, (session_store_t *store), (store), NOTHING)
CALL(session_active_lock_count, (session_store_t *store, uint32_t *out_count), (store, out_count),
     (CLEAR(out_count)))
CALL(session_watch_open,
     (session_store_t *store, const session_watch_options_t *options, session_watch_t **out_watch),
     (store, options, out_watch), (CLEAR(out_watch)))
CALL(session_watch_next,
     (session_watch_t *watch, uint32_t limit, uint32_t timeout_ms, JSON_OUT),
     (watch, limit, timeout_ms, out_json, out_length), (CLEAR_JSON))
CALL(session_watch_get_fd, (session_watch_t *watch, uint32_t flags, intptr_t *out_fd),
     (watch, flags, out_fd), (out_fd != NULL ? (void)(*out_fd = -1) : (void)0))
DESTROY(session_watch_destroy, session_watch_t, NOTHING, NOTHING)
CALL(session_queue_add,
     (session_t *session, const char *entry_json, size_t length, JSON_OUT),
     (session, entry_json, length, out_json, out_length), (CLEAR_JSON))
CALL(session_queue_list, (session_t *session, JSON_OUT), (session, out_json, out_length),
     (CLEAR_JSON))
CALL(session_queue_update,
     (session_t *session, const char *entry_id, const char *merge_patch_json),
     (session, entry_id, merge_patch_json), NOTHING)
CALL(session_queue_move, (session_t *session, const char *entry_id, int32_t delta),
     (session, entry_id, delta), NOTHING)
CALL(session_queue_remove, (session_t *session, const char *entry_id), (session, entry_id),
     NOTHING)
CALL(session_queue_clear, (session_t *session, uint32_t *out_count), (session, out_count),
     (CLEAR(out_count)))
CALL(session_queue_claim, (session_t *session, const char *turn_id, JSON_OUT),
     (session, turn_id, out_json, out_length), (CLEAR_JSON))
CALL(session_queue_settle,
     (session_t *session, const char *entry_id, int32_t outcome, const char *detail,
      uint64_t *out_seq),
     (session, entry_id, outcome, detail, out_seq), (CLEAR(out_seq)))
CALL(session_queue_next_due, (session_t *session, int64_t *out_due_at), (session, out_due_at),
     (CLEAR(out_due_at)))
CALL(session_get_buttons, (session_t *session, JSON_OUT), (session, out_json, out_length),
     (CLEAR_JSON))
CALL(session_set_buttons, (session_t *session, const char *buttons_json, uint64_t for_seq),
     (session, buttons_json, for_seq), NOTHING)

/* ---- plue_session.h ---- */

#define PLUE(result, name, parameters, arguments, failure)                                        \
  result managed_##name parameters;                                                               \
  PLUE_API result name parameters                                                                 \
  {                                                                                               \
    SESSIONS_BEGIN((void)status; return failure);                                                 \
    result answer = managed_##name arguments;                                                     \
    SESSIONS_END();                                                                               \
    return answer;                                                                                \
  }

PLUE(void *, plue_session_create, (const char *parent_id), (parent_id), NULL)
PLUE(char *, plue_session_get_info, (void *session), (session), NULL)
PLUE(char *, plue_session_list, (void), (), NULL)
PLUE(int, plue_session_update_title, (void *session, const char *title), (session, title), -1)
PLUE(int, plue_session_delete, (void *session), (session), -1)
PLUE(int, plue_session_abort, (void *session), (session), -1)
PLUE(char *, plue_session_create_share, (void *session), (session), NULL)
PLUE(int, plue_init, (const char *config_json), (config_json), -1)

PLUE_API void plue_session_destroy(void *session)
{
  void managed_plue_session_destroy(void *);
  if (session != NULL && may_destroy() == SESSION_OK) {
    sessions_gate = SESSIONS_INSIDE;
    managed_plue_session_destroy(session);
    SESSIONS_END();
  }
}

PLUE_API void plue_shutdown(void)
{
  void managed_plue_shutdown(void);
  if (SESSIONS_LOAD(sessions_state) == SESSIONS_NEW)
    return; /* nothing was opened */
  SESSIONS_BEGIN((void)status; return);
  managed_plue_shutdown();
  SESSIONS_END();
}

PLUE_API void plue_free_string(char *string)
{
  session_string_free(string);
}

PLUE_API const char *plue_get_last_error(void)
{
  const session_error_t *error = session_last_error();
  return error->status == SESSION_OK ? "" : error->message;
}
