/* What a host does with a store that a stranger may have made: all that reads, all that writes. */
#include "steps.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static char root[PATH_MAX];
static char secret[128];
static char file_id[64];

#define ANSWER(name, role, call) \
  do { \
    char *json = NULL; \
    if (STEP(name, role, call) == SESSION_OK) { \
      step_answer(json); \
    } \
  } while (0)

/* ---- reading ------------------------------------------------------------------------------ */

static void cursor(session_t *session, const char *role, uint32_t flags, const char *name) {
  session_cursor_options_t options = SESSION_INIT(session_cursor_options_t);
  session_cursor_t *cursor = NULL;
  options.flags = flags;
  if (STEP(name, role, session_cursor_open(session, &options, &cursor)) != SESSION_OK) {
    return;
  }
  ANSWER("cursor_next", role, session_cursor_next(cursor, 3, 0, &json, NULL));
  ANSWER("cursor_next", role, session_cursor_next(cursor, 0, 0, &json, NULL));
  ANSWER("cursor_previous", role, session_cursor_previous(cursor, 2, &json, NULL));
  STEP("cursor_seek_time", role, session_cursor_seek_time(cursor, 1));
  STEP("cursor_seek", role, session_cursor_seek(cursor, 2));
  ANSWER("cursor_next", role, session_cursor_next(cursor, 1, 0, &json, NULL));
  session_cursor_destroy(cursor);
}

/* A path that is handed out leads to a file of the store, and through no link. */
static void file_path(session_t *session, const char *role) {
  char *path = NULL;
  char real[PATH_MAX];
  struct stat status;
  if (STEP("get_file_path", role, session_get_file_path(session, file_id, &path)) != SESSION_OK) {
    return;
  }
  if (getenv("HOSTILE_TRACED") != NULL) { /* whose calls would be taken for the library's */
    session_string_free(path);
    return;
  }
  if (lstat(path, &status) != 0 || !S_ISREG(status.st_mode)) {
    step_fault("a path to what is no file was handed out");
  } else if (realpath(path, real) == NULL || strncmp(real, root, strlen(root)) != 0) {
    step_fault("a path out of the store was handed out");
  }
  session_string_free(path);
}

/* And the folder of a session is one of the store's. */
static void folder_path(session_t *session, const char *role) {
  char *path = NULL;
  char real[PATH_MAX];
  if (STEP("get_path", role, session_get_path(session, &path)) == SESSION_OK &&
      getenv("HOSTILE_TRACED") == NULL &&
      (realpath(path, real) == NULL || strncmp(real, root, strlen(root)) != 0)) {
    step_fault("a folder out of the store was handed out");
  }
  session_string_free(path);
}

static void read_log(session_t *session, const char *role) {
  static const char *const format[] = {"messages", "ui_messages", "markdown", "html"};
  int32_t i;
  ANSWER("read_events", role, session_read_events(session, 0, 0, &json, NULL));
  ANSWER("read_last_events", role, session_read_last_events(session, 0, 3, &json, NULL));
  cursor(session, role, SESSION_READ_HIDDEN, "cursor_open_hidden");
  cursor(session, role, SESSION_READ_CONTEXT, "cursor_open_context");
  for (i = 0; i < 4; ++i) {
    ANSWER(format[i], role,
           session_transcript(session, i, "{\"include_hidden\":true}", &json, NULL));
  }
  ANSWER("read_turns", role, session_read_turns(session, 0, 0, &json, NULL));
  ANSWER("read_streams", role, session_read_streams(session, NULL, 0, &json, NULL));
  ANSWER("repair_dry", role, session_repair(session, SESSION_REPAIR_DRY_RUN, &json, NULL));
}

static void read_rest(session_t *session, const char *role) {
  session_stat_t stat = SESSION_INIT(session_stat_t);
  int64_t due;
  int32_t aborted;
  ANSWER("get_info", role, session_get_info(session, &json, NULL));
  if (STEP("get_stat", role, session_get_stat(session, &stat)) == SESSION_OK) {
    step_number("last", role, stat.last_seq);
  }
  STEP("is_aborted", role, session_is_aborted(session, &aborted));
  ANSWER("tree", role, session_tree(session, &json, NULL));
  ANSWER("list_shares", role, session_list_shares(session, &json, NULL));
  ANSWER("lock_status", role, session_lock_status(session, &json, NULL));
  ANSWER("queue_list", role, session_queue_list(session, &json, NULL));
  STEP("queue_next_due", role, session_queue_next_due(session, &due));
  ANSWER("get_buttons", role, session_get_buttons(session, &json, NULL));
  file_path(session, role);
  folder_path(session, role);
}

static void read_all(session_store_t *store, const struct roles *roles) {
  session_list_options_t trash = SESSION_INIT(session_list_options_t);
  int i;
  ANSWER("store_info", "-", session_store_get_info(store, &json, NULL));
  ANSWER("list", "-", session_list(store, NULL, &json, NULL, NULL));
  trash.flags = SESSION_LIST_TRASH;
  ANSWER("list_trash", "-", session_list(store, &trash, &json, NULL, NULL));
  for (i = 0; i < roles->count; ++i) {
    const char *role = roles->all[i].name;
    session_t *session = NULL;
    if (STEP("open", role, session_open(store, roles->all[i].id, &session)) != SESSION_OK) {
      continue;
    }
    read_rest(session, role);
    read_log(session, role);
    session_destroy(session);
  }
}

/* ---- writing ------------------------------------------------------------------------------ */

static void stream(session_t *session, const char *role) {
  session_append_options_t options = SESSION_INIT(session_append_options_t);
  session_stream_t *stream = NULL;
  options.turn_id = "s";
  if (STEP("stream_begin", role,
           session_stream_begin(session, "agent_message", &options, &stream)) != SESSION_OK) {
    return;
  }
  STEP("stream_write", role, session_stream_write(stream, "bit by bit", 10));
  STEP("stream_end", role, session_stream_end(stream, NULL, NULL));
  session_stream_destroy(stream);
}

static void add(session_t *session, const char *role) {
  static const char data[] = "{\"text\":\"one more\"}";
  session_append_options_t options = SESSION_INIT(session_append_options_t);
  uint64_t seq;
  if (STEP("append", role, session_append_event(session, "user_prompt", data, sizeof data - 1, 0,
                                                &seq)) == SESSION_OK) {
    step_number("saved", role, seq);
  }
  options.id = "e2";
  STEP("append_with_id", role, session_append_event_ex(session, "agent_message", data,
                                                       sizeof data - 1, &options, NULL));
  stream(session, role);
}

static void change(session_t *session, const char *role) {
  char title[16];
  int i;
  for (i = 0; i < 3; ++i) {
    snprintf(title, sizeof title, "new %d", i);
    STEP("update_title", role, session_update_title(session, title));
  }
  STEP("update_metadata", role, session_update_metadata(session, "{\"seen\":true}"));
}

static void share(session_store_t *store, session_t *session, const char *role) {
  session_share_options_t options = SESSION_INIT(session_share_options_t);
  session_t *shared = NULL;
  char *json = NULL;
  options.last_seq = 1;
  if (STEP("create_share", role, session_create_share(session, &options, &json, NULL)) ==
      SESSION_OK) {
    char id[32] = "";
    const char *found = strstr(json, "\"share_id\":\"");
    if (found != NULL && sscanf(found + 12, "%31[^\"]", id) == 1) {
      STEP("revoke_share", role, session_revoke_share(session, id));
    }
    step_answer(json);
  }
  if (STEP("resolve_share", role, session_resolve_share(store, secret, &shared)) == SESSION_OK) {
    ANSWER("shared_info", role, session_get_info(shared, &json, NULL));
    ANSWER("shared_events", role, session_read_events(shared, 0, 0, &json, NULL));
    session_destroy(shared);
  }
}

static void queue(session_t *session, const char *role) {
  static const char entry[] = "{\"message\":\"next\"}";
  char *json = NULL;
  char id[64] = "";
  uint32_t count;
  if (STEP("queue_add", role, session_queue_add(session, entry, sizeof entry - 1, &json, NULL)) ==
      SESSION_OK) {
    const char *found = strstr(json, "\"id\":\"");
    if (found != NULL && sscanf(found + 6, "%63[^\"]", id) == 1) {
      STEP("queue_update", role, session_queue_update(session, id, "{\"title\":\"t\"}"));
      STEP("queue_move", role, session_queue_move(session, id, -1));
    }
    step_answer(json);
  }
  json = NULL;
  if (STEP("queue_claim", role, session_queue_claim(session, "q", &json, NULL)) == SESSION_OK) {
    const char *found = strstr(json, "\"id\":\"");
    if (found != NULL && sscanf(found + 6, "%63[^\"]", id) == 1) {
      STEP("queue_settle", role, session_queue_settle(session, id, SESSION_QUEUE_SENT, NULL, NULL));
    }
    step_answer(json);
  }
  STEP("queue_clear", role, session_queue_clear(session, &count));
}

static void lock(session_t *session, const char *role) {
  STEP("lock", role, session_lock(session, SESSION_LOCK_INTERRUPT, NULL));
  STEP("set_activity", role, session_set_activity(session, "processing", "at it"));
}

static void branch(session_t *session, const char *role) {
  session_t *child = NULL;
  STEP("rewind", role, session_rewind(session, 2));
  STEP("undo_rewind", role, session_undo_rewind(session));
  if (STEP("fork", role, session_fork(session, 0, NULL, &child)) == SESSION_OK) {
    add(child, "child");
    session_destroy(child);
  }
  ANSWER("prune", role, session_prune(session, "{\"max_events\":3}", &json, NULL));
  ANSWER("repair", role, session_repair(session, SESSION_REPAIR_FORCE, &json, NULL));
  STEP("abort", role, session_abort(session, "stop"));
  STEP("clear_abort", role, session_clear_abort(session));
}

static void write_session(session_store_t *store, session_t *session, const char *role, int all) {
  add(session, role);
  change(session, role);
  if (!all) {
    return;
  }
  lock(session, role);
  share(store, session, role);
  queue(session, role);
  STEP("set_buttons", role, session_set_buttons(session, "[{\"label\":\"Yes\"}]", 0));
  ANSWER("put_file", role, session_put_file(session, "more.txt", "more", 4, &json, NULL));
  file_path(session, role);
  branch(session, role);
  STEP("unlock", role, session_unlock(session));
}

static void write_all(session_store_t *store, const struct roles *roles) {
  int i;
  for (i = 0; i < roles->count; ++i) {
    const char *role = roles->all[i].name;
    session_t *session = NULL;
    if (STEP("open", role, session_open(store, roles->all[i].id, &session)) == SESSION_OK) {
      write_session(store, session, role, strcmp(role, "alpha") == 0 || strcmp(role, "gamma") == 0);
      session_destroy(session);
    }
  }
}

static void live_and_die(session_store_t *store, const struct roles *roles) {
  session_t *session = NULL;
  uint32_t count;
  STEP("restore", "zeta", session_restore(store, role_id(roles, "zeta")));
  if (STEP("open", "theta", session_open(store, role_id(roles, "theta"), &session)) ==
      SESSION_OK) {
    STEP("delete", "theta", session_delete(session, SESSION_DELETE_CASCADE));
    session_destroy(session);
  }
  session = NULL;
  if (STEP("open", "zeta", session_open(store, role_id(roles, "zeta"), &session)) == SESSION_OK) {
    STEP("delete_no_trash", "zeta",
         session_delete(session, SESSION_DELETE_ORPHAN | SESSION_DELETE_NO_TRASH));
    session_destroy(session);
  }
  STEP("purge", "-", session_store_purge(store, INT64_C(4000000000000), &count));
}

static void whole_store(session_store_t *store) {
  session_t *session = NULL;
  session_job_t *job = NULL;
  ANSWER("verify", "-", session_store_verify(store, &json, NULL));
  STEP("configure", "-", session_store_configure(store, NULL, "{\"unique_roles\":false}"));
  ANSWER("retain", "-",
         session_store_retain(store, "{\"max_sessions\":1,\"dry_run\":true}", &json, NULL));
  if (STEP("create", "-", session_create(store, NULL, NULL, &session)) == SESSION_OK) {
    add(session, "new");
    session_destroy(session);
  }
  STEP("flush", "-", session_store_flush(store));
  if (STEP("job_start", "-", session_job_start(store, "verify", "{}", 2, &job)) == SESSION_OK) {
    STEP("job_wait", "-", session_job_wait(job, SESSION_WAIT_FOREVER));
    session_job_destroy(job);
  }
}

/* ---- whole uses --------------------------------------------------------------------------- */

static session_status_t open_store(const char *path, uint32_t flags, session_store_t **store) {
  session_store_options_t options = SESSION_INIT(session_store_options_t);
  options.flags = flags | SESSION_STORE_MUST_EXIST;
  options.busy_timeout_ms = 2000;
  options.client_type = "hostile";
  *store = NULL;
  return STEP("store_open", "-", session_store_open(path, &options, store));
}

static void know(const char *path, const struct roles *roles) {
  snprintf(secret, sizeof secret, "%s", roles->secret);
  snprintf(file_id, sizeof file_id, "%s", roles->file);
  if (realpath(path, root) == NULL) {
    snprintf(root, sizeof root, "%s", path);
  }
}

session_status_t use_to_read(const char *path, const struct roles *roles, uint32_t flags) {
  session_store_t *store;
  session_status_t status;
  know(path, roles);
  status = open_store(path, flags | SESSION_STORE_READ_ONLY, &store);
  if (status == SESSION_OK) {
    read_all(store, roles);
    ANSWER("verify", "-", session_store_verify(store, &json, NULL));
    STEP("store_close", "-", session_store_close(store));
  }
  return status;
}

session_status_t use_to_write(const char *path, const struct roles *roles, uint32_t flags) {
  session_store_t *store;
  session_status_t status;
  know(path, roles);
  status = open_store(path, flags, &store);
  if (status == SESSION_OK) {
    read_all(store, roles);
    write_all(store, roles);
    live_and_die(store, roles);
    whole_store(store);
    STEP("store_close", "-", session_store_close(store));
  }
  if (open_store(path, flags, &store) == SESSION_OK) {
    read_all(store, roles);
    STEP("store_close", "-", session_store_close(store));
  }
  return status;
}

session_status_t use_after_salvage(const char *path, const struct roles *roles, uint32_t flags) {
  session_store_t *store;
  session_status_t status;
  know(path, roles);
  ANSWER("salvage", "-", session_store_salvage(path, NULL, &json, NULL));
  status = open_store(path, flags, &store);
  if (status == SESSION_OK) {
    read_all(store, roles);
    write_all(store, roles);
    ANSWER("verify", "-", session_store_verify(store, &json, NULL));
    STEP("store_close", "-", session_store_close(store));
  }
  return status;
}

/* One that is there while another process finds the store changed under both. */
session_status_t use_beside(const char *path, const struct roles *roles, uint32_t flags) {
  session_store_t *store;
  session_status_t status;
  know(path, roles);
  status = open_store(path, flags, &store);
  if (status == SESSION_OK) {
    write_all(store, roles);
    if (await_word()) {
      read_all(store, roles);
      write_all(store, roles);
      whole_store(store);
    }
    STEP("store_close", "-", session_store_close(store));
  }
  return status;
}

/* What moves most files, again and again. */
session_status_t use_over_and_over(const char *path, uint32_t flags, int rounds) {
  session_store_t *store;
  int i;
  for (i = 0; i < rounds; ++i) {
    session_t *session = NULL;
    session_t *child = NULL;
    if (open_store(path, flags, &store) != SESSION_OK) {
      continue;
    }
    if (STEP("create", "-", session_create(store, NULL, NULL, &session)) == SESSION_OK) {
      add(session, "-");
      change(session, "-");
      ANSWER("put_file", "-", session_put_file(session, "more.txt", "more", 4, &json, NULL));
      if (STEP("fork", "-", session_fork(session, 0, NULL, &child)) == SESSION_OK) {
        add(child, "child");
        STEP("delete", "-", session_delete(child, SESSION_DELETE_CASCADE));
        session_destroy(child);
      }
      ANSWER("prune", "-", session_prune(session, "{\"max_events\":1}", &json, NULL));
      STEP("delete_no_trash", "-",
           session_delete(session, SESSION_DELETE_ORPHAN | SESSION_DELETE_NO_TRASH));
      session_destroy(session);
    }
    STEP("flush", "-", session_store_flush(store));
    STEP("purge", "-", session_store_purge(store, INT64_C(4000000000000), NULL));
    STEP("store_close", "-", session_store_close(store));
  }
  return SESSION_OK;
}
