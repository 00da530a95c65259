/* sessions/session.h: create, open, info, titles, metadata, facts. */
#include "one_store.h"

/* ---- create and open ------------------------------------------------------------------------ */

static void a_new_session(void) {
  session_t *session = NULL;
  session_t *again = NULL;
  session_stat_t stat = SESSION_INIT(session_stat_t);
  char id[160];
  char *json = NULL;
  size_t length = 0;

  start();
  NEED(session_create(store, NULL, NULL, &session));
  id_of(session, id, sizeof id);
  CHECK(strncmp(id, "session_", 8) == 0 && strlen(id) >= 21);
  CHECK_OK(session_get_info(session, &json, &length));
  CHECK_INT(length, json == NULL ? 0 : strlen(json));
  CHECK_HAS(json, id);
  CHECK_HAS(json, "\"parent_id\":null,\"fork_seq\":null,\"title\":\"New Session\","
                  "\"title_source\":\"default\",");
  CHECK_HAS(json, "\"last_event_at\":null,\"message_count\":0,\"event_count\":0,\"last_seq\":0,");
  CHECK_HAS(json, "\"state\":\"created\",\"archived\":false,\"is_aborted\":false,"
                  "\"abort_reason\":null,\"abort_count\":0,\"share_info\":null,"
                  "\"metadata\":{},\"facts\":{}}");

  CHECK_OK(session_get_stat(session, &stat));
  CHECK_INT(sizeof stat, stat.size);
  CHECK_INT(0, stat.flags);
  CHECK_INT(json_number(json, "revision"), stat.revision);
  CHECK_INT(json_number(json, "created_at"), stat.created_at);
  CHECK_INT(json_number(json, "updated_at"), stat.updated_at);
  CHECK(stat.revision > 0 && stat.created_at > 0);
  CHECK_INT(0, stat.last_seq + stat.event_count + stat.message_count + stat.abort_count);
  CHECK_INT(0, stat.last_event_at);
  session_string_free(json);

  NEED(session_open(store, id, &again));
  CHECK(again != session);
  CHECK_OK(session_update_title(again, "seen by both"));
  CHECK_INFO(session, "\"title\":\"seen by both\"");
  CHECK_OK(session_destroy(session));
  CHECK_INFO(again, "\"title\":\"seen by both\""); /* one handle's end is not the other's */
  CHECK_OK(session_destroy(again));
  stop();
}

static void create_with_options(void) {
  session_create_options_t options = SESSION_INIT(session_create_options_t);
  session_t *session = NULL;
  session_t *child = NULL;
  session_t *none = NULL;
  char id[160];
  char expected[256];
  char *list = NULL;

  start();
  options.title = "Fix the cart";
  options.metadata_json =
      "{ \"com.example\" : { \"pinned\" : true , \"n\" : 12345678901234567890 } }";
  options.facts_json = "{\"agent_id\":\"coder\",\"type\":\"user\"}";
  NEED(session_create(store, NULL, &options, &session));
  id_of(session, id, sizeof id);
  CHECK_INFO(session, "\"title\":\"Fix the cart\",\"title_source\":\"user\"");
  CHECK_INFO(session,
             "\"metadata\":{\"com.example\":{\"pinned\":true,\"n\":12345678901234567890}}");
  CHECK_INFO(session, "\"facts\":{\"agent_id\":\"coder\",\"type\":\"user\"}");

  NEED(session_create(store, id, NULL, &child));
  snprintf(expected, sizeof expected, "\"parent_id\":\"%s\",\"fork_seq\":null", id);
  CHECK_INFO(child, expected); /* a child link: no history came along */

  /* What cannot be made leaves nothing behind. */
  CHECK_STATUS(SESSION_E_NOT_FOUND, session_create(store, "session_1", NULL, &none));
  CHECK(none == NULL);
  options.decision_id = "d_1";
  CHECK_STATUS(SESSION_E_NOT_FOUND, session_create(store, NULL, &options, &none));
  options.decision_id = NULL;
  options.metadata_json = "[1]";
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, session_create(store, NULL, &options, &none));
  options.metadata_json = "{\"a\":";
  CHECK_STATUS(SESSION_E_INVALID_JSON, session_create(store, NULL, &options, &none));
  options.metadata_json = NULL;
  options.facts_json = "7";
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, session_create(store, NULL, &options, &none));
  CHECK_OK(session_list(store, NULL, &list, NULL, NULL));
  CHECK_INT(2, text_count(list, "\"id\":"));
  session_string_free(list);
  CHECK_OK(session_destroy(child));
  CHECK_OK(session_destroy(session));
  stop();
}

static void create_again_with_the_same_key(void) {
  session_create_options_t options = SESSION_INIT(session_create_options_t);
  session_t *first = NULL;
  session_t *second = NULL;
  session_t *other = NULL;
  char id[160];
  char again[160];

  start();
  options.idempotency_key = "order 4711";
  options.title = "first";
  NEED(session_create(store, NULL, &options, &first));
  options.title = "second";
  NEED(session_create(store, NULL, &options, &second));
  id_of(first, id, sizeof id);
  id_of(second, again, sizeof again);
  CHECK_STR(id, again);
  CHECK(first != second);
  CHECK_INFO(second, "\"title\":\"first\"");
  options.idempotency_key = "order 4712";
  NEED(session_create(store, NULL, &options, &other));
  id_of(other, again, sizeof again);
  CHECK(strcmp(id, again) != 0);
  CHECK_OK(session_destroy(first));
  CHECK_OK(session_destroy(second));
  CHECK_OK(session_destroy(other));

  /* The key outlives the process's view of the store. */
  CHECK_OK(session_store_close(store));
  NEED(session_store_open(folder, NULL, &store));
  options.idempotency_key = "order 4711";
  NEED(session_create(store, NULL, &options, &first));
  id_of(first, again, sizeof again);
  CHECK_STR(id, again);
  CHECK_OK(session_destroy(first));
  stop();
}

static void ids_are_unique_and_in_order(void) {
  char before[160] = "";
  char id[160];
  char *list = NULL;
  const char *place;
  int i;
  session_list_options_t options = SESSION_INIT(session_list_options_t);

  start();
  for (i = 0; i < 100; ++i) {
    session_t *session = NULL;
    NEED(session_create(store, NULL, NULL, &session));
    id_of(session, id, sizeof id);
    CHECK(strcmp(id, before) != 0);
    memcpy(before, id, sizeof before);
    CHECK_OK(session_destroy(session));
  }
  options.order = SESSION_ORDER_CREATED_DESC;
  options.fields = "id";
  options.limit = 1;
  CHECK_OK(session_list(store, &options, &list, NULL, NULL));
  place = list == NULL ? NULL : strstr(list, before);
  CHECK(place != NULL && place[strlen(before)] == '"');
  session_string_free(list);
  stop();
}

/* ---- titles --------------------------------------------------------------------------------- */

static void titles(void) {
  session_t *session;
  int32_t applied = 7;

  start();
  session = create(NULL, NULL);
  CHECK_OK(session_suggest_title(session, "A guess", &applied));
  CHECK_INT(1, applied);
  CHECK_INFO(session, "\"title\":\"A guess\",\"title_source\":\"generated\"");
  CHECK_OK(session_suggest_title(session, "A better guess", NULL));
  CHECK_INFO(session, "\"title\":\"A better guess\",\"title_source\":\"generated\"");

  CHECK_OK(session_update_title(session, "Mine"));
  CHECK_INFO(session, "\"title\":\"Mine\",\"title_source\":\"user\"");
  CHECK_OK(session_suggest_title(session, "Not this", &applied));
  CHECK_INT(0, applied);
  CHECK_INFO(session, "\"title\":\"Mine\",\"title_source\":\"user\"");

  CHECK_OK(session_update_title(session, ""));
  CHECK_INFO(session, "\"title\":\"New Session\",\"title_source\":\"default\"");
  CHECK_OK(session_suggest_title(session, "Again", &applied));
  CHECK_INT(1, applied);

  /* "New Session" typed by a user is a user's title. */
  CHECK_OK(session_update_title(session, "New Session"));
  CHECK_INFO(session, "\"title\":\"New Session\",\"title_source\":\"user\"");
  CHECK_OK(session_destroy(session));
  stop();
}

static void titles_of_any_text(void) {
  static const struct {
    const char *title;
    const char *json;
  } cases[] = {
      {"one\ntwo\r\n\tthree", "\"title\":\"one\\ntwo\\r\\n\\tthree\""},
      {"\xF0\x9F\x9A\x80 \xF0\x9F\x91\xA9\xE2\x80\x8D\xF0\x9F\x92\xBB",
       "\"title\":\"\xF0\x9F\x9A\x80 \xF0\x9F\x91\xA9\xE2\x80\x8D\xF0\x9F\x92\xBB\""},
      {"quote \" backslash \\ slash /", "\"title\":\"quote \\\" backslash \\\\ slash /\""},
      {"\x01\x1F", "\"title\":\"\\u0001\\u001"},
      {" ", "\"title\":\" \""},
      {"\xD0\x9F\xD1\x80", "\"title\":\"\xD0\x9F\xD1\x80\""},
  };
  session_t *session;
  session_t *again = NULL;
  size_t i;
  char id[160];

  start();
  session = create(NULL, NULL);
  id_of(session, id, sizeof id);
  for (i = 0; i < sizeof cases / sizeof cases[0]; ++i) {
    CHECK_OK(session_update_title(session, cases[i].title));
    CHECK_INFO(session, cases[i].json);
  }
  /* What was written is what is read after a restart. */
  CHECK_OK(session_update_title(session, cases[1].title));
  CHECK_OK(session_destroy(session));
  CHECK_OK(session_store_close(store));
  NEED(session_store_open(folder, NULL, &store));
  NEED(session_open(store, id, &again));
  {
    uint64_t before = revision_of(again);
    CHECK_OK(session_update_title(again, cases[1].title)); /* the same: nothing to write */
    CHECK_INT(before, revision_of(again));
  }
  CHECK_OK(session_destroy(again));
  stop();
}

static void titles_as_long_as_allowed(void) {
  session_t *session;
  session_t *none = NULL;
  session_create_options_t options = SESSION_INIT(session_create_options_t);
  char *longest = text_of('x', 16384);
  char *too_long = text_of('x', 16385);
  char *part;
  char *json;

  start();
  session = create(NULL, longest);
  json = info_of(session);
  CHECK_HAS(json, longest);
  session_string_free(json);
  CHECK_OK(session_update_title(session, "short"));
  CHECK_OK(session_update_title(session, longest));
  CHECK_STATUS(SESSION_E_LIMIT, session_update_title(session, too_long));
  CHECK_DETAILS("{\"limit\":\"title_bytes_max\",\"max\":16384,\"actual\":16385}");
  CHECK_STATUS(SESSION_E_LIMIT, session_suggest_title(session, too_long, NULL));
  options.title = too_long;
  CHECK_STATUS(SESSION_E_LIMIT, session_create(store, NULL, &options, &none));
  CHECK(none == NULL);
  CHECK_INFO(session, longest);

  /* Bytes are counted, not characters: 8,193 characters of two bytes each are one too many. */
  part = text_of('x', 16386);
  {
    int i;
    for (i = 0; i < 8193; ++i) memcpy(part + 2 * i, "\xC3\xA9", 2);
  }
  CHECK_STATUS(SESSION_E_LIMIT, session_update_title(session, part));
  CHECK_DETAILS("\"actual\":16386");
  part[16384] = '\0';
  CHECK_OK(session_update_title(session, part));
  free(part);
  free(longest);
  free(too_long);
  CHECK_OK(session_destroy(session));
  stop();
}

/* ---- metadata, facts, update ---------------------------------------------------------------- */

static void metadata(void) {
  session_t *session;
  uint64_t before;
  char *large;

  start();
  session = create(NULL, NULL);
  CHECK_OK(session_update_metadata(session, "{\"a\":{\"x\":1,\"y\":[1,2]},\"b\":\"\\u0041\\/\"}"));
  CHECK_INFO(session, "\"metadata\":{\"a\":{\"x\":1,\"y\":[1,2]},\"b\":\"\\u0041\\/\"}");
  CHECK_OK(session_update_metadata(session, "{\"a\":{\"x\":null,\"z\":1.50e+1},\"c\":{}}"));
  CHECK_INFO(session, "\"metadata\":{\"a\":{\"y\":[1,2],\"z\":1.50e+1},"
                      "\"b\":\"\\u0041\\/\",\"c\":{}}");
  CHECK_OK(session_update_metadata(session, "{\"a\":[9]}"));
  CHECK_INFO(session, "\"metadata\":{\"a\":[9],\"b\":");
  before = revision_of(session);
  CHECK_OK(session_update_metadata(session, "{}"));
  CHECK_OK(session_update_metadata(session, "{\"a\":[9],\"absent\":null}"));
  CHECK_INT(before, revision_of(session)); /* nothing changed, nothing written */
  CHECK_OK(session_update_metadata(session, "{\"a\":null,\"b\":null,\"c\":null}"));
  CHECK_INFO(session, "\"metadata\":{}");
  CHECK(revision_of(session) > before);

  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, session_update_metadata(session, "[1]"));
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, session_update_metadata(session, "null"));
  CHECK_STATUS(SESSION_E_INVALID_JSON, session_update_metadata(session, "{\"a\":}"));
  CHECK_INT(5, session_last_error()->offset);
  CHECK_STATUS(SESSION_E_INVALID_JSON, session_update_metadata(session, ""));

  large = text_of('x', 1048576 + 16);
  memcpy(large, "{\"k\":\"", 6);
  strcpy(large + 1048576, "\"}"); /* the longest value that would fit, and some more */
  CHECK_STATUS(SESSION_E_LIMIT, session_update_metadata(session, large));
  CHECK_DETAILS("\"limit\":\"metadata_bytes_max\",\"max\":1048576");
  strcpy(large + 1048576 - 2, "\"}");
  CHECK_OK(session_update_metadata(session, large));
  free(large);
  CHECK_OK(session_destroy(session));
  stop();
}

static void update(void) {
  session_t *session;
  uint64_t first;
  uint64_t second = 0;
  uint64_t out = 7;
  char expected[128];

  start();
  session = create(NULL, NULL);
  first = revision_of(session);
  CHECK_OK(session_update(session,
                          "{\"title\":\"t\",\"archived\":true,\"metadata\":{\"m\":1},"
                          "\"facts\":{\"agent_id\":\"coder\"}}",
                          first, &second));
  CHECK(second > first);
  CHECK_INT(second, revision_of(session));
  CHECK_INFO(session, "\"title\":\"t\",\"title_source\":\"user\"");
  CHECK_INFO(session, "\"archived\":true");
  CHECK_INFO(session, "\"metadata\":{\"m\":1},\"facts\":{\"agent_id\":\"coder\"}");

  CHECK_STATUS(SESSION_E_CONFLICT, session_update(session, "{\"title\":\"x\"}", first, &out));
  CHECK_INT(0, out);
  snprintf(expected, sizeof expected, "{\"expected\":%" PRIu64 ",\"actual\":%" PRIu64 "}", first,
           second);
  CHECK_DETAILS(expected);
  CHECK_OK(session_update(session, "{\"title\":\"t\",\"archived\":true}", second, &out));
  CHECK_INT(second, out); /* no change, no revision */
  CHECK_OK(session_update(session, "{}", 0, &out));
  CHECK_INT(second, out);
  /* Events do not change facts, so they do not spoil an expected revision. */
  CHECK_OK(append_text(session, "user_prompt", "{}", NULL));
  CHECK_OK(session_update(session, "{\"archived\":false,\"title\":null}", second, NULL));
  CHECK_INFO(session, "\"title\":\"New Session\",\"title_source\":\"default\"");
  CHECK_INFO(session, "\"archived\":false");

  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, session_update(session, "{\"id\":\"x\"}", 0, NULL));
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, session_update(session, "{\"archived\":1}", 0, NULL));
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, session_update(session, "{\"title\":[]}", 0, NULL));
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, session_update(session, "{\"metadata\":[]}", 0, NULL));
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, session_update(session, "{\"facts\":\"\"}", 0, NULL));
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, session_update(session, "7", 0, NULL));
  CHECK_STATUS(SESSION_E_INVALID_JSON, session_update(session, "{", 0, NULL));
  /* One bad member and nothing of the patch is done. */
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT,
               session_update(session, "{\"title\":\"x\",\"archived\":\"no\"}", 0, NULL));
  CHECK_INFO(session, "\"title\":\"New Session\"");
  CHECK_OK(session_destroy(session));
  stop();
}

/* What a host shows is a folder that is there, also of a session that was just made relaxed. */
static void path_of_a_session(void) {
  session_store_options_t relaxed = SESSION_INIT(session_store_options_t);
  session_t *session;
  char id[160];
  char *path = NULL;
  char text[4096];
  FILE *file;

  start();
  CHECK_OK(session_store_close(store));
  relaxed.durability = SESSION_DURABILITY_RELAXED;
  NEED(session_store_open(folder, &relaxed, &store));
  session = create(NULL, "shown");
  id_of(session, id, sizeof id);
  CHECK_OK(session_get_path(session, &path));
  CHECK(path[0] == '/' && strncmp(path, folder, strlen(folder)) == 0);
  CHECK_HAS(path, id);
  snprintf(text, sizeof text, "%s/session.json", path);
  file = fopen(text, "r");
  if (CHECK(file != NULL)) {
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    CHECK_HAS(text, "\"shown\"");
  }
  session_string_free(path);
  CHECK_OK(session_delete(session, SESSION_DELETE_CASCADE));
  CHECK_STATUS(SESSION_E_DELETED, session_get_path(session, &path));
  CHECK(path == NULL);
  CHECK_OK(session_destroy(session));
  stop();
}

int main(void) {
  RUN(a_new_session);
  RUN(create_with_options);
  RUN(create_again_with_the_same_key);
  RUN(ids_are_unique_and_in_order);
  RUN(titles);
  RUN(titles_of_any_text);
  RUN(titles_as_long_as_allowed);
  RUN(metadata);
  RUN(update);
  RUN(path_of_a_session);
  return check_done("session");
}
