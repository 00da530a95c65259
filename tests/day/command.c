/* A short command: opens the store, does one thing, and closes it. */
#include "day.h"

static void look(session_store_t *store, const char *kind, session_t *session)
{
  session_list_options_t options = SESSION_INIT(session_list_options_t);
  session_stat_t stat = SESSION_INIT(session_stat_t);
  char *json = NULL;
  options.limit = 50;
  if (strcmp(kind, "list") == 0) must(session_list(store, &options, &json, NULL, NULL), "list");
  if (strcmp(kind, "read") == 0) must(session_read_last_events(session, 0, 50, &json, NULL), "read_last");
  if (strcmp(kind, "page") == 0)
    must(session_transcript(session, SESSION_TRANSCRIPT_MARKDOWN, NULL, &json, NULL), "transcript");
  if (session != NULL) must(session_get_stat(session, &stat), "stat");
  session_string_free(json);
}

static void share(session_store_t *store, session_t *session, const char *id)
{
  session_t *shown = NULL;
  char secret[128], *json = NULL;
  must(session_create_share(session, NULL, &json, NULL), "share");
  text_of(json, "secret", secret, sizeof secret);
  session_string_free(json);
  must(session_resolve_share(store, secret, &shown), "resolve");
  must(session_destroy(shown), "destroy");
  say("H %s %s", id, secret);
}

/* Also where another one has it now: that is a day like any other. */
static void with_lock(session_t *session, const char *id, uint64_t marker, int32_t mode)
{
  session_lock_options_t options = SESSION_INIT(session_lock_options_t);
  session_status_t status;
  options.timeout_ms = 2000;
  status = session_lock(session, mode, &options);
  if (status == SESSION_E_LOCKED || status == SESSION_E_TIMEOUT) return;
  must(status, "lock");
  say("E %s %" PRIu64 " %" PRIu64, id, append_marker(session, marker, 0), marker);
  must(session_unlock(session), "unlock");
}

static void change(session_store_t *store, const char *kind, session_t *session, const char *id, uint64_t marker)
{
  char title[32];
  snprintf(title, sizeof title, "m%" PRIu64, marker);
  if (strcmp(kind, "append") == 0)
    say("E %s %" PRIu64 " %" PRIu64, id, append_marker(session, marker, 0), marker);
  else if (strcmp(kind, "relaxed") == 0)
    say("E %s %" PRIu64 " %" PRIu64, id, append_marker(session, marker, SESSION_APPEND_RELAXED), marker);
  else if (strcmp(kind, "stream") == 0)
    say("E %s %" PRIu64 " %" PRIu64, id, stream_marker(session, marker), marker);
  else if (strcmp(kind, "title") == 0) {
    must(session_update_title(session, title), "title");
    say("T %s %" PRIu64, id, marker);
  } else if (strcmp(kind, "enqueue") == 0)
    add_to_queue(session, id, marker);
  else if (strcmp(kind, "deliver") == 0)
    deliver(session, id);
  else if (strcmp(kind, "lock") == 0)
    with_lock(session, id, marker, SESSION_LOCK_TRY);
  else if (strcmp(kind, "wait") == 0)
    with_lock(session, id, marker, SESSION_LOCK_WAIT);
  else if (strcmp(kind, "share") == 0)
    share(store, session, id);
  else if (strcmp(kind, "delete") == 0) {
    must(session_delete(session, SESSION_DELETE_ORPHAN), "delete");
    say("X %s", id);
  } else if (strcmp(kind, "remove") == 0) {
    must(session_delete(session, SESSION_DELETE_ORPHAN | SESSION_DELETE_NO_TRASH), "remove");
    say("G %s", id);
  } else
    look(store, kind, session);
}

int command_main(char **argv)
{
  const char *kind = argv[1], *id = argv[3];
  uint64_t marker = strtoull(argv[4], NULL, 10);
  session_store_t *store = open_day(argv[2]);
  session_t *session = NULL;
  char *made = NULL, title[32];
  snprintf(title, sizeof title, "m%" PRIu64, marker);
  if (strcmp(kind, "create") == 0) {
    session_create_options_t options = SESSION_INIT(session_create_options_t);
    options.title = title;
    must(session_create(store, NULL, &options, &session), "create");
    must(session_get_id(session, &made), "id");
    say("S %s %" PRIu64, made, marker);
    session_string_free(made);
  } else if (strcmp(kind, "restore") == 0) {
    must(session_restore(store, id), "restore");
    say("B %s", id);
  } else if (strcmp(kind, "purge") == 0) {
    must(session_store_purge(store, INT64_C(9007199254740991), NULL), "purge"); /* 2^53 - 1: all */
    say("P");
  } else if (strcmp(id, "-") == 0)
    look(store, kind, NULL);
  else {
    must(session_open(store, id, &session), "open session");
    change(store, kind, session, id, marker);
  }
  must(session_destroy(session), "destroy");
  must(session_store_close(store), "close");
  return 0;
}
