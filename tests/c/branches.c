/* Branches, rewinds, prunes and retention, as a C host uses them. */
#include "one_store.h"

static void say(session_t *session, const char *turn, const char *text) {
  session_append_options_t options = SESSION_INIT(session_append_options_t);
  char data[64];
  options.turn_id = turn;
  snprintf(data, sizeof data, "{\"text\":\"%s\"}", text);
  CHECK_OK(session_append_event_ex(session, "user_prompt", data, strlen(data), &options, NULL));
}

/* The numbers and texts of all events of a page, without the rest: "1:a 2:b". */
static void expect(session_t *session, const char *expected) {
  char *json = NULL, found[512] = "", *at;
  CHECK_OK(session_read_events(session, 0, 0, &json, NULL));
  for (at = json; (at = strstr(at, "{\"seq\":")) != NULL; at++) {
    char *type = strstr(at, "\"type\":\""), *text = strstr(at, "\"text\":\"");
    if (strncmp(type + 8, "user_prompt", 11) != 0) continue;
    snprintf(found + strlen(found), sizeof found - strlen(found), "%s%d:%.*s",
             found[0] == '\0' ? "" : " ", atoi(at + 7), (int)strcspn(text + 8, "\""), text + 8);
  }
  CHECK_STR(expected, found);
  session_string_free(json);
}

static session_t *fork_at(session_t *session, uint64_t at) {
  session_t *child = NULL;
  CHECK_OK(session_fork(session, at, NULL, &child));
  return child;
}

static session_t *talk(void) {
  session_t *session = create(NULL, "root");
  say(session, "t1", "a");
  say(session, "t2", "b");
  say(session, "t3", "c");
  return session;
}

static void branches(void) {
  session_t *root, *child, *leaf, *none = (session_t *)&root;
  char *json = NULL, *id = NULL;

  start();
  root = talk();
  child = fork_at(root, 2);
  say(child, NULL, "x");
  leaf = fork_at(child, 0);
  say(root, NULL, "d");
  expect(root, "1:a 2:b 3:c 4:d");
  expect(child, "1:a 2:b 3:x");
  expect(leaf, "1:a 2:b 3:x");
  CHECK_OK(session_tree(leaf, &json, NULL));
  CHECK_OK(session_get_id(root, &id));
  CHECK(strstr(json, "\"root_id\":\"") != NULL && strncmp(json + 12, id, strlen(id)) == 0);
  CHECK(strstr(json, "\"depth\":2") != NULL && strstr(json, "\"fork_seq\":2") != NULL);
  session_string_free(json);
  session_string_free(id);
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, session_fork(root, 99, NULL, &none));
  CHECK(none == NULL);
  CHECK_OK(session_delete(root, SESSION_DELETE_ORPHAN | SESSION_DELETE_NO_TRASH));
  expect(leaf, "1:a 2:b 3:x");
  CHECK_STATUS(SESSION_E_DELETED, session_fork(root, 0, NULL, &none));
  CHECK_OK(session_destroy(root));
  CHECK_OK(session_destroy(child));
  CHECK_OK(session_destroy(leaf));
  stop();
}

static void rewinds(void) {
  session_t *session;

  start();
  session = talk();
  CHECK_OK(session_rewind(session, 1));
  expect(session, "1:a");
  say(session, NULL, "e");
  expect(session, "1:a 5:e");
  CHECK_OK(session_undo_rewind(session));
  expect(session, "1:a 2:b 3:c 5:e");
  CHECK_STATUS(SESSION_E_NOT_FOUND, session_undo_rewind(session));
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, session_rewind(session, 99));
  CHECK_OK(session_destroy(session));
  stop();
}

static void prunes(void) {
  session_t *session, *child;
  char *json = NULL;

  start();
  session = talk();
  child = fork_at(session, 0);
  CHECK_OK(session_prune(session, "{\"max_events\":1,\"dry_run\":true}", &json, NULL));
  CHECK(strstr(json, "\"pruned_events\":2") != NULL);
  session_string_free(json);
  expect(session, "1:a 2:b 3:c");
  CHECK_OK(session_prune(session, "{\"max_events\":1}", &json, NULL));
  CHECK(strstr(json, "\"first_seq\":3,\"last_seq\":3") != NULL);
  session_string_free(json);
  say(session, NULL, "d");
  expect(session, "3:c 4:d");
  expect(child, "1:a 2:b 3:c");
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, session_prune(session, "{}", &json, NULL));
  CHECK(json == NULL);
  CHECK_STATUS(SESSION_E_INVALID_JSON, session_prune(session, "{\"max", &json, NULL));
  CHECK_OK(session_store_retain(store, "{\"max_sessions\":1,\"dry_run\":true,\"idle_ms\":0}", &json,
                                NULL));
  CHECK(strstr(json, "\"count\":1") != NULL);
  session_string_free(json);
  CHECK_OK(session_store_retain(store, "{\"max_sessions\":1,\"idle_ms\":0}", &json, NULL));
  CHECK(strstr(json, "\"count\":1") != NULL && strstr(json, "\"reason\":\"max_sessions\"") != NULL);
  session_string_free(json);
  json = list_with(NULL, NULL);
  CHECK(strstr(json + 2, "{\"id\"") == NULL); /* one is left */
  session_string_free(json);
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, session_store_retain(store, "{}", &json, NULL));
  CHECK_OK(session_destroy(session));
  CHECK_OK(session_destroy(child));
  stop();
}

int main(void) {
  RUN(branches);
  RUN(rewinds);
  RUN(prunes);
  return check_done("branches");
}
