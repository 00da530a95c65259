/* sessions/session.h: shares, and the handles that come from them. */
#include "one_store.h"

static char secret[128];
static char share_id[128];
static char url[256];

static session_status_t share_with(session_t *session, const session_share_options_t *options) {
  char *json = NULL;
  size_t length = 0;
  session_status_t status = session_create_share(session, options, &json, &length);
  CHECK_INT(length, json == NULL ? 0 : strlen(json));
  CHECK((status == SESSION_OK) == (json != NULL));
  json_string(json, "secret", secret, sizeof secret);
  json_string(json, "share_id", share_id, sizeof share_id);
  json_string(json, "url", url, sizeof url);
  session_string_free(json);
  return status;
}

static session_status_t resolve_status(const char *text) {
  session_t *session = NULL;
  session_status_t status = session_resolve_share(store, text, &session);
  CHECK((status == SESSION_OK) == (session != NULL));
  CHECK_OK(session_destroy(session));
  return status;
}

static session_t *session_with_events(int count) {
  session_t *session = create(NULL, "Shared");
  int i;
  for (i = 1; i <= count; ++i) {
    char data[64];
    snprintf(data, sizeof data, "{\"n\":%d}", i);
    CHECK_OK(append_text(session, "user_prompt", data, NULL));
  }
  return session;
}

static void make_and_resolve(void) {
  session_t *session;
  session_t *view = NULL;
  char first[128];
  char first_id[128];
  char text[512];
  char id[160];
  char *json = NULL;

  start();
  session = session_with_events(3);
  id_of(session, id, sizeof id);
  CHECK_OK(session_create_share(session, NULL, &json, NULL));
  snprintf(text, sizeof text, "\"session_id\":\"%s\"", id);
  CHECK_HAS(json, text);
  CHECK_HAS(json, "\"first_seq\":1,\"last_seq\":3,\"live\":false,");
  CHECK_HAS(json, "\"expires_at\":null,\"max_uses\":null,\"uses\":0,\"last_used_at\":null,"
                  "\"revoked_at\":null}");
  session_string_free(json);
  json = NULL;

  CHECK_OK(share_with(session, NULL));
  CHECK_INT(43, strlen(secret)); /* 32 bytes in base64url */
  CHECK_INT(43, strspn(secret, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"));
  snprintf(text, sizeof text, "sessions:share/%s", secret);
  CHECK_STR(text, url);
  memcpy(first, secret, sizeof first);
  memcpy(first_id, share_id, sizeof first_id);
  CHECK_OK(share_with(session, NULL)); /* the same terms: the same link */
  CHECK_STR(first, secret);
  CHECK_STR(first_id, share_id);

  snprintf(text, sizeof text, "\"share_info\":{\"share_id\":\"%s\",", share_id);
  CHECK_INFO(session, text);
  CHECK_OK(resolve_status(secret));
  CHECK_OK(resolve_status(url));
  snprintf(text, sizeof text, "https://elsewhere.example/s/%s", secret);
  CHECK_OK(resolve_status(text)); /* any link that ends in it */

  NEED(session_resolve_share(store, secret, &view));
  CHECK_INFO(view, "\"title\":\"Shared\"");
  CHECK_INFO(view, "\"parent_id\":null");
  CHECK_INFO(view, "\"share_info\":null,\"metadata\":null,\"facts\":null}");
  CHECK_OK(session_list_shares(session, &json, NULL));
  CHECK_HAS(json, "{\"shares\":[{");
  CHECK_HAS(json, "\"uses\":4");
  session_string_free(json);
  CHECK_OK(session_destroy(view));
  CHECK_OK(session_destroy(session));
  stop();
}

static void base_url(void) {
  session_store_options_t options = SESSION_INIT(session_store_options_t);
  session_t *session;
  char text[512];

  folder = folder_make();
  options.share_base_url = "https://example.org/s/";
  NEED(session_store_open(folder, &options, &store));
  session = create(NULL, NULL);
  CHECK_OK(share_with(session, NULL));
  snprintf(text, sizeof text, "https://example.org/s/%s", secret);
  CHECK_STR(text, url);
  CHECK_OK(session_destroy(session));
  stop();
}

static void views_are_read_only(void) {
  session_t *session;
  session_t *view = NULL;
  session_stat_t stat = SESSION_INIT(session_stat_t);
  char *json = NULL;

  start();
  session = session_with_events(1);
  CHECK_OK(share_with(session, NULL));
  NEED(session_resolve_share(store, secret, &view));
  CHECK_OK(session_get_stat(view, &stat));
  CHECK_INT(SESSION_STAT_READ_ONLY, stat.flags);
#define DENIED(call) \
  do { \
    CHECK_STATUS(SESSION_E_ACCESS_DENIED, call); \
    CHECK_STR("{\"rule\":\"share.read_only\"}", session_last_error()->details_json); \
  } while (0)
  DENIED(session_update_title(view, "x"));
  DENIED(session_suggest_title(view, "x", NULL));
  DENIED(session_update_metadata(view, "{\"a\":1}"));
  DENIED(session_update(view, "{\"archived\":true}", 0, NULL));
  DENIED(session_delete(view, SESSION_DELETE_CASCADE));
  DENIED(session_abort(view, NULL));
  DENIED(session_abort_ex(view, NULL, 0, NULL));
  DENIED(session_clear_abort(view));
  DENIED(session_create_share(view, NULL, &json, NULL));
  DENIED(session_list_shares(view, &json, NULL));
  DENIED(session_revoke_share(view, share_id));
  DENIED(append_text(view, "t", "{}", NULL));
  DENIED(session_append_event_ex(view, "t", "{}", 2, NULL, NULL));
  DENIED(session_append_events(view, "[{\"type\":\"t\",\"data\":1}]", 23, 0, &json, NULL));
  DENIED(session_repair(view, SESSION_REPAIR_DRY_RUN, &json, NULL));
#undef DENIED
  CHECK_INFO(session, "\"title\":\"Shared\"");
  CHECK_INFO(session, "\"last_seq\":1");
  CHECK_INFO(session, "\"is_aborted\":false");
  CHECK_OK(session_destroy(view));
  CHECK_OK(session_destroy(session));
  stop();
}

static void ranges(void) {
  session_share_options_t options = SESSION_INIT(session_share_options_t);
  session_t *session;
  session_t *frozen = NULL;
  session_t *part = NULL;
  session_t *live = NULL;
  char *json = NULL;

  start();
  session = session_with_events(4);
  CHECK_OK(share_with(session, NULL));
  NEED(session_resolve_share(store, secret, &frozen));
  options.first_seq = 2;
  options.last_seq = 3;
  CHECK_OK(share_with(session, &options));
  NEED(session_resolve_share(store, secret, &part));
  session_options_init(&options, (uint32_t)sizeof options);
  options.flags = SESSION_SHARE_LIVE;
  CHECK_OK(share_with(session, &options));
  NEED(session_resolve_share(store, secret, &live));
  CHECK_OK(append_text(session, "user_prompt", "{\"n\":5}", NULL));

  CHECK_OK(session_read_events(frozen, 0, 0, &json, NULL));
  CHECK_INT(4, text_count(json, "\"type\":\"user_prompt\""));
  CHECK_LACKS(json, "{\"n\":5}");
  session_string_free(json);
  json = NULL;
  CHECK_OK(session_read_events(part, 0, 0, &json, NULL));
  CHECK_INT(2, text_count(json, "\"type\":\"user_prompt\""));
  CHECK_HAS(json, "{\"n\":2}");
  CHECK_HAS(json, "{\"n\":3}");
  CHECK_HAS(json, "\"reason\":\"outside_share\"");
  session_string_free(json);
  json = NULL;
  CHECK_OK(session_read_last_events(part, 0, 1, &json, NULL));
  CHECK_HAS(json, "{\"n\":3}");
  session_string_free(json);
  json = NULL;
  CHECK_INFO(part, "\"message_count\":2,\"event_count\":2,");
  CHECK_OK(session_read_events(live, 0, 0, &json, NULL));
  CHECK_INT(5, text_count(json, "\"type\":\"user_prompt\""));
  session_string_free(json);

  session_options_init(&options, (uint32_t)sizeof options);
  options.first_seq = 3;
  options.last_seq = 2;
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, share_with(session, &options));
  CHECK_OK(session_destroy(frozen));
  CHECK_OK(session_destroy(part));
  CHECK_OK(session_destroy(live));
  CHECK_OK(session_destroy(session));
  stop();
}

static void rotate(void) {
  session_share_options_t options = SESSION_INIT(session_share_options_t);
  session_t *session;
  char before[128];

  start();
  session = session_with_events(1);
  CHECK_OK(share_with(session, NULL));
  memcpy(before, secret, sizeof before);
  options.flags = SESSION_SHARE_ROTATE;
  CHECK_OK(share_with(session, &options));
  CHECK(strcmp(before, secret) != 0);
  CHECK_STATUS(SESSION_E_NOT_FOUND, resolve_status(before));
  CHECK_OK(resolve_status(secret));
  CHECK_OK(session_destroy(session));
  stop();
}

/* Whoever holds a dead secret learns nothing about how it died. */
static void dead_secrets_all_look_alike(void) {
  session_share_options_t options = SESSION_INIT(session_share_options_t);
  session_t *session;
  char message[512];
  const char *wrong[] = {"", "x", "sh_9f2c41d07a3b", "sessions:share/",
                         "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
                         "sessions:share/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"};
  size_t i;

  start();
  session = session_with_events(1);
  options.max_uses = 1;
  CHECK_OK(share_with(session, &options));
  CHECK_OK(resolve_status(secret));
  CHECK_STATUS(SESSION_E_NOT_FOUND, resolve_status(secret)); /* used up */
  snprintf(message, sizeof message, "%s", session_last_error()->message);
  CHECK_STR("{}", session_last_error()->details_json);

  session_options_init(&options, (uint32_t)sizeof options);
  options.expires_at = 1; /* long ago: such a link is dead from the start */
  CHECK_OK(share_with(session, &options));
  CHECK_STATUS(SESSION_E_NOT_FOUND, resolve_status(secret));
  CHECK_STR(message, session_last_error()->message);

  session_options_init(&options, (uint32_t)sizeof options);
  options.expires_at = INT64_C(9007199254740991);
  CHECK_OK(share_with(session, &options));
  CHECK_OK(resolve_status(secret));
  CHECK_OK(session_revoke_share(session, share_id));
  CHECK_OK(session_revoke_share(session, share_id)); /* it is ended already */
  CHECK_STATUS(SESSION_E_NOT_FOUND, resolve_status(secret));
  CHECK_STR(message, session_last_error()->message);
  CHECK_STR("{}", session_last_error()->details_json);

  for (i = 0; i < sizeof wrong / sizeof wrong[0]; ++i) {
    CHECK_STATUS(SESSION_E_NOT_FOUND, resolve_status(wrong[i]));
    CHECK_STR(message, session_last_error()->message);
  }
  CHECK_STATUS(SESSION_E_NOT_FOUND, session_revoke_share(session, "sh_0"));
  CHECK_OK(session_destroy(session));
  stop();
}

static void revoked_views_go_blind(void) {
  session_t *session;
  session_t *view = NULL;
  session_stat_t stat = SESSION_INIT(session_stat_t);
  char *json = NULL;
  char *id = NULL;
  int32_t flag = 0;

  start();
  session = session_with_events(2);
  CHECK_OK(share_with(session, NULL));
  NEED(session_resolve_share(store, secret, &view));
  CHECK_OK(session_read_events(view, 0, 0, &json, NULL));
  session_string_free(json);
  json = NULL;
  CHECK_OK(session_revoke_share(session, share_id));
  CHECK_STATUS(SESSION_E_NOT_FOUND, session_read_events(view, 0, 0, &json, NULL));
  CHECK_STATUS(SESSION_E_NOT_FOUND, session_read_last_events(view, 0, 0, &json, NULL));
  CHECK_STATUS(SESSION_E_NOT_FOUND, session_get_info(view, &json, NULL));
  CHECK_STATUS(SESSION_E_NOT_FOUND, session_get_stat(view, &stat));
  CHECK_STATUS(SESSION_E_NOT_FOUND, session_get_id(view, &id));
  CHECK_STATUS(SESSION_E_NOT_FOUND, session_is_aborted(view, &flag));
  CHECK_STATUS(SESSION_E_NOT_FOUND, session_wait_abort(view, 0));
  CHECK_STATUS(SESSION_E_NOT_FOUND, session_update_title(view, "x"));
  CHECK_STATUS(SESSION_E_NOT_FOUND, append_text(view, "t", "{}", NULL));
  CHECK(json == NULL && id == NULL);
  CHECK_OK(session_destroy(view));
  CHECK_INFO(session, "\"share_info\":null"); /* no live share is left */
  CHECK_OK(session_destroy(session));
  stop();
}

static void shares_survive_a_restart(void) {
  session_t *session;

  start();
  session = session_with_events(1);
  CHECK_OK(share_with(session, NULL));
  CHECK_OK(session_destroy(session));
  CHECK_OK(session_store_close(store));
  NEED(session_store_open(folder, NULL, &store));
  CHECK_OK(resolve_status(secret));
  stop();
}

static int files_with_secret;

/* Counts the files that hold it, and that others could read. */
static int look_for_secret(const char *path, const struct stat *status, int kind,
                           struct FTW *place) {
  FILE *file;
  char *bytes;
  (void)place;
  if (kind != FTW_F || status->st_size == 0) return 0;
  file = fopen(path, "r");
  if (!CHECK(file != NULL)) return 0;
  bytes = (char *)malloc((size_t)status->st_size);
  if (fread(bytes, 1, (size_t)status->st_size, file) == (size_t)status->st_size &&
      memmem(bytes, (size_t)status->st_size, secret, 43) != NULL) {
    printf("  found in %s\n", path);
    CHECK_INT(0600, status->st_mode & 0777);
    ++files_with_secret;
  }
  free(bytes);
  fclose(file);
  return 0;
}

/* A name is readable to whoever lists the folder. */
static int look_for_secret_name(const char *path, const struct stat *status, int kind,
                                struct FTW *place) {
  (void)status;
  (void)kind;
  CHECK_LACKS(path + place->base, secret);
  return 0;
}

static void the_secret_is_in_one_file_and_one_answer(void) {
  session_t *session;
  session_t *view = NULL;
  char id[160];
  char ids[200];
  char *json = NULL;

  start();
  session = session_with_events(2);
  id_of(session, id, sizeof id);
  CHECK_OK(share_with(session, NULL));
  NEED(session_resolve_share(store, secret, &view));
#define SILENT(call) \
  do { \
    json = NULL; \
    CHECK_OK(call); \
    CHECK_LACKS(json, secret); \
    CHECK_LACKS(json, "\"url\""); \
    session_string_free(json); \
  } while (0)
  SILENT(session_get_info(session, &json, NULL));
  SILENT(session_get_info(view, &json, NULL));
  SILENT(session_list(store, NULL, &json, NULL, NULL));
  snprintf(ids, sizeof ids, "[\"%s\"]", id);
  SILENT(session_get_infos(store, ids, NULL, &json, NULL));
  SILENT(session_list_shares(session, &json, NULL));
  SILENT(session_store_get_info(store, &json, NULL));
  SILENT(session_store_verify(store, &json, NULL));
  SILENT(session_read_events(view, 0, 0, &json, NULL));
  SILENT(session_log_read(0, 0, &json, NULL));
#undef SILENT
  CHECK_OK(session_store_flush(store));
  CHECK(nftw(folder, look_for_secret, 16, FTW_PHYS) == 0);
  CHECK_OK(session_destroy(view));
  CHECK_OK(session_destroy(session));
  CHECK_OK(session_store_close(store));
  CHECK(nftw(folder, look_for_secret, 16, FTW_PHYS) == 0);
  CHECK_INT(2, files_with_secret); /* one, each time */
  CHECK(nftw(folder, look_for_secret_name, 16, FTW_PHYS) == 0);
  folder_remove(folder);
}

/* Which answer a call on a handle from a share is to give. */
enum { READ_ONLY, HIDDEN };

static void denied(session_status_t status, int rule, const char *call) {
  if (!CHECK_INT(SESSION_E_ACCESS_DENIED, status)) printf("  %s\n", call);
  CHECK_STR(rule == HIDDEN ? "{\"rule\":\"share.hidden\"}" : "{\"rule\":\"share.read_only\"}",
            session_last_error()->details_json);
}

/* Words that no answer may have: of what is before the range, hidden in it, or beyond it. */
static void tells_nothing(char *json, const char *call) {
  static const char *const secrets[] = {"BEFORE", "HIDDEN", "BEYOND", "META", "FACT",
                                        "WHY",    "BUSY",   "QUEUED", "BUTTON"};
  size_t i;
  if (!CHECK(json != NULL)) printf("  %s\n", call);
  for (i = 0; json != NULL && i < sizeof secrets / sizeof secrets[0]; ++i) {
    if (!CHECK(strstr(json, secrets[i]) == NULL)) {
      printf("  %s tells %s: %s\n", call, secrets[i], json);
    }
  }
  session_string_free(json);
}

static void every_call_on_a_share(void) {
  session_create_options_t how = SESSION_INIT(session_create_options_t);
  session_share_options_t terms = SESSION_INIT(session_share_options_t);
  session_cursor_options_t read = SESSION_INIT(session_cursor_options_t);
  session_stat_t stat = SESSION_INIT(session_stat_t);
  session_t *session = NULL;
  session_t *view = NULL;
  session_t *other = NULL;
  session_cursor_t *cursor = NULL;
  session_stream_t *stream = NULL;
  char *json = NULL;
  char *before = NULL;
  uint32_t count = 0;
  int64_t due = 0;
  int32_t flag = 7;
  int32_t format;

  start();
  how.title = "Shared";
  how.metadata_json = "{\"META\":1}";
  how.facts_json = "{\"agent_id\":\"FACT\"}";
  NEED(session_create(store, NULL, &how, &session));
  CHECK_OK(append_text(session, "user_prompt", "{\"text\":\"BEFORE\"}", NULL));
  CHECK_OK(append_text(session, "user_prompt", "{\"text\":\"two\"}", NULL));
  CHECK_OK(append_text(session, "agent_message", "{\"text\":\"HIDDEN\"}", NULL));
  CHECK_OK(session_rewind(session, 2));
  CHECK_OK(append_text(session, "agent_message", "{\"text\":\"five\"}", NULL));
  terms.first_seq = 2;
  CHECK_OK(share_with(session, &terms));
  NEED(session_resolve_share(store, secret, &view));
  CHECK_OK(session_get_info(view, &before, NULL));

  CHECK_OK(append_text(session, "user_prompt", "{\"text\":\"BEYOND\"}", NULL));
  CHECK_OK(append_text(session, "compaction", "{\"from_seq\":6}", NULL));
  CHECK_OK(session_update(session, "{\"archived\":true,\"metadata\":{\"META2\":1}}", 0, NULL));
  CHECK_OK(session_queue_add(session, "{\"message\":\"QUEUED\"}", 20, &json, NULL));
  session_string_free(json);
  json = NULL;
  CHECK_OK(session_set_buttons(session, "[{\"label\":\"BUTTON\"}]", 0));
  CHECK_OK(session_lock(session, SESSION_LOCK_TRY, NULL));
  CHECK_OK(session_set_activity(session, "processing", "BUSY"));
  CHECK_OK(session_abort(session, "WHY"));

#define TELLS(call) \
  do { \
    json = NULL; \
    CHECK_OK(call); \
    tells_nothing(json, #call); \
  } while (0)
#define DENIED(call) denied(call, READ_ONLY, #call)
  CHECK_OK(session_get_info(view, &json, NULL));
  CHECK_STR(before, json); /* whatever the owner did */
  CHECK_HAS(json, "\"message_count\":2,\"event_count\":3,\"last_seq\":5,\"revision\":0,");
  CHECK_HAS(json, "\"archived\":false,\"is_aborted\":false,\"abort_reason\":null,"
                  "\"abort_count\":0,");
  session_string_free(json);
  TELLS(session_get_info(view, &json, NULL));
  TELLS(session_get_id(view, &json));
  TELLS(session_read_events(view, 0, 0, &json, NULL));
  TELLS(session_read_last_events(view, 0, 0, &json, NULL));
  TELLS(session_read_turns(view, 0, 0, &json, NULL));
  TELLS(session_read_streams(view, NULL, 0, &json, NULL));
  for (format = SESSION_TRANSCRIPT_MESSAGES; format <= SESSION_TRANSCRIPT_HTML; ++format) {
    TELLS(session_transcript(view, format, NULL, &json, NULL));
    denied(session_transcript(view, format, "{\"include_hidden\":true}", &json, NULL), HIDDEN,
           "session_transcript");
  }
  for (read.flags = 0; read.flags < 8; ++read.flags) {
    cursor = NULL;
    if (read.flags & SESSION_READ_HIDDEN) {
      denied(session_cursor_open(view, &read, &cursor), HIDDEN, "session_cursor_open");
      CHECK(cursor == NULL);
      continue;
    }
    NEED(session_cursor_open(view, &read, &cursor));
    TELLS(session_cursor_next(cursor, 0, 0, &json, NULL));
    TELLS(session_cursor_previous(cursor, 0, &json, NULL));
    CHECK_OK(session_cursor_seek_time(cursor, 1));
    TELLS(session_cursor_next(cursor, 0, 0, &json, NULL));
    CHECK_OK(session_cursor_seek(cursor, 100));
    TELLS(session_cursor_previous(cursor, 0, &json, NULL));
    CHECK_OK(session_cursor_destroy(cursor));
  }
  CHECK_OK(session_get_stat(view, &stat));
  CHECK_INT(SESSION_STAT_READ_ONLY, stat.flags);
  CHECK_INT(0, stat.abort_count);
  CHECK_INT(0, stat.revision);
  CHECK_OK(session_is_aborted(view, &flag));
  CHECK_INT(0, flag);
  CHECK_STATUS(SESSION_E_TIMEOUT, session_wait_abort(view, 0));

  json = NULL;
  DENIED(session_tree(view, &json, NULL));
  DENIED(session_list_shares(view, &json, NULL));
  DENIED(session_lock_status(view, &json, NULL));
  DENIED(session_queue_list(view, &json, NULL));
  DENIED(session_queue_next_due(view, &due));
  DENIED(session_get_buttons(view, &json, NULL));
  DENIED(session_get_path(view, &json));
  DENIED(session_get_file_path(view, "f_00000000000000000000000000000000", &json));
  DENIED(session_repair(view, SESSION_REPAIR_DRY_RUN, &json, NULL));
  DENIED(session_prune(view, "{\"max_events\":1,\"dry_run\":true}", &json, NULL));
  DENIED(session_update_title(view, "x"));
  DENIED(session_suggest_title(view, "x", NULL));
  DENIED(session_update_metadata(view, "{}"));
  DENIED(session_update(view, "{}", 0, NULL));
  DENIED(session_delete(view, SESSION_DELETE_CASCADE));
  DENIED(session_abort(view, NULL));
  DENIED(session_abort_ex(view, NULL, 0, NULL));
  DENIED(session_clear_abort(view));
  DENIED(session_create_share(view, NULL, &json, NULL));
  DENIED(session_revoke_share(view, share_id));
  DENIED(append_text(view, "t", "{}", NULL));
  DENIED(session_append_event_ex(view, "t", "{}", 2, NULL, NULL));
  DENIED(session_append_events(view, "[]", 2, 0, &json, NULL));
  DENIED(session_stream_begin(view, "agent_message", NULL, &stream));
  DENIED(session_put_file(view, "a.txt", "a", 1, &json, NULL));
  DENIED(session_fork(view, 0, NULL, &other));
  DENIED(session_rewind(view, 0));
  DENIED(session_undo_rewind(view));
  DENIED(session_lock(view, SESSION_LOCK_TRY, NULL));
  DENIED(session_lock_answer(view, "lr_000000000000", 1));
  DENIED(session_set_activity(view, "idle", NULL));
  DENIED(session_unlock(view));
  DENIED(session_queue_add(view, "{\"message\":\"x\"}", 15, &json, NULL));
  DENIED(session_queue_update(view, "q-0", "{}"));
  DENIED(session_queue_move(view, "q-0", 1));
  DENIED(session_queue_remove(view, "q-0"));
  DENIED(session_queue_clear(view, &count));
  DENIED(session_queue_claim(view, NULL, &json, NULL));
  DENIED(session_queue_settle(view, "q-0", SESSION_QUEUE_SENT, NULL, NULL));
  DENIED(session_set_buttons(view, "[]", 0));
#undef DENIED
#undef TELLS
  CHECK(json == NULL && other == NULL && stream == NULL);
  session_string_free(before);
  CHECK_OK(session_destroy(view));
  CHECK_OK(session_unlock(session));
  CHECK_OK(session_destroy(session));
  stop();
}

static int files_with_text;

static int look_for_text(const char *path, const struct stat *status, int kind,
                         struct FTW *place) {
  FILE *file;
  char *bytes;
  (void)place;
  if (kind != FTW_F || status->st_size == 0) return 0;
  file = fopen(path, "r");
  if (!CHECK(file != NULL)) return 0;
  bytes = (char *)malloc((size_t)status->st_size);
  if (fread(bytes, 1, (size_t)status->st_size, file) == (size_t)status->st_size &&
      memmem(bytes, (size_t)status->st_size, "GONEFORGOOD", 11) != NULL) {
    ++files_with_text;
  }
  free(bytes);
  fclose(file);
  return 0;
}

static void what_is_deleted_for_good_is_in_no_file(void) {
  session_t *session;
  session_t *other;

  start();
  other = session_with_events(1);
  session = create(NULL, "GONEFORGOOD");
  CHECK_OK(append_text(session, "user_prompt", "{\"text\":\"GONEFORGOOD\"}", NULL));
  CHECK_OK(session_update_title(session, "GONEFORGOOD 2"));
  CHECK_OK(share_with(session, NULL));
  CHECK_OK(session_store_flush(store));
  files_with_text = 0;
  CHECK(nftw(folder, look_for_text, 16, FTW_PHYS) == 0);
  CHECK(files_with_text > 0);
  CHECK_OK(session_delete(session, SESSION_DELETE_CASCADE | SESSION_DELETE_NO_TRASH));
  CHECK_OK(session_destroy(session));
  CHECK_OK(session_store_flush(store));
  files_with_text = 0;
  files_with_secret = 0;
  CHECK(nftw(folder, look_for_text, 16, FTW_PHYS) == 0);
  CHECK(nftw(folder, look_for_secret, 16, FTW_PHYS) == 0);
  CHECK_INT(0, files_with_text);
  CHECK_INT(0, files_with_secret);
  CHECK_OK(append_text(other, "user_prompt", "{}", NULL));
  CHECK_OK(session_destroy(other));
  stop();
}

int main(void) {
  RUN(make_and_resolve);
  RUN(base_url);
  RUN(views_are_read_only);
  RUN(ranges);
  RUN(rotate);
  RUN(dead_secrets_all_look_alike);
  RUN(revoked_views_go_blind);
  RUN(shares_survive_a_restart);
  RUN(the_secret_is_in_one_file_and_one_answer);
  RUN(every_call_on_a_share);
  RUN(what_is_deleted_for_good_is_in_no_file);
  return check_done("share");
}
