/* sessions/session.h: session_list, its filters, orders and pages; session_get_infos. */
#include "one_store.h"

static void list(void) {
  session_list_options_t options = SESSION_INIT(session_list_options_t);
  session_t *a;
  session_t *b;
  session_t *c;
  char id_a[160];
  char *json;

  start();
  json = list_with(NULL, NULL);
  CHECK_STR("[]", json);
  session_string_free(json);

  a = create(NULL, "Apple");
  id_of(a, id_a, sizeof id_a);
  b = create(id_a, "Banana split");
  c = create(NULL, "\xC3\x89T\xC3\x89 cherry");
  CHECK_OK(session_update(c, "{\"facts\":{\"agent_id\":\"coder\"}}", 0, NULL));

  json = list_with(NULL, NULL);
  CHECK_INT(3, text_count(json, "\"id\":"));
  CHECK_INT(3, text_count(json, "\"facts\":{")); /* without fields: all of the info */
  session_string_free(json);

  options.fields = "title";
  options.order = SESSION_ORDER_CREATED_ASC;
  expect_list(&options, "[{\"title\":\"Apple\"},{\"title\":\"Banana split\"},"
                        "{\"title\":\"\xC3\x89T\xC3\x89 cherry\"}]");
  options.order = SESSION_ORDER_CREATED_DESC;
  options.limit = 2;
  expect_list(&options, "[{\"title\":\"\xC3\x89T\xC3\x89 cherry\"},{\"title\":\"Banana split\"}]");
  options.limit = 0;

  options.order = SESSION_ORDER_CREATED_ASC;
  options.flags = SESSION_LIST_ROOTS;
  expect_list(&options, "[{\"title\":\"Apple\"},{\"title\":\"\xC3\x89T\xC3\x89 cherry\"}]");
  options.flags = 0;
  options.parent_id = id_a;
  expect_list(&options, "[{\"title\":\"Banana split\"}]");
  options.parent_id = "session_1"; /* nobody's children */
  expect_list(&options, "[]");
  options.parent_id = NULL;
  options.title_contains = "APP";
  expect_list(&options, "[{\"title\":\"Apple\"}]");
  options.title_contains = "\xC3\xA9t\xC3\xA9 CH"; /* not only ASCII has cases */
  expect_list(&options, "[{\"title\":\"\xC3\x89T\xC3\x89 cherry\"}]");
  options.title_contains = "";
  json = list_with(&options, NULL);
  CHECK_INT(3, text_count(json, "\"title\":"));
  session_string_free(json);
  options.title_contains = NULL;
  options.filter_json = "{\"agent_id\":\"coder\"}";
  expect_list(&options, "[{\"title\":\"\xC3\x89T\xC3\x89 cherry\"}]");
  options.filter_json = "{\"state\":[\"active\"]}";
  expect_list(&options, "[]");
  options.filter_json = "{\"state\":[\"created\",\"stopped\"],\"agent_id\":\"coder\"}";
  expect_list(&options, "[{\"title\":\"\xC3\x89T\xC3\x89 cherry\"}]");
  options.filter_json = NULL;

  CHECK_OK(session_update(b, "{\"archived\":true}", 0, NULL));
  expect_list(&options, "[{\"title\":\"Apple\"},{\"title\":\"\xC3\x89T\xC3\x89 cherry\"}]");
  options.archived = SESSION_ARCHIVED_ONLY;
  expect_list(&options, "[{\"title\":\"Banana split\"}]");
  options.archived = SESSION_ARCHIVED_INCLUDE;
  json = list_with(&options, NULL);
  CHECK_INT(3, text_count(json, "\"title\":"));
  session_string_free(json);

  CHECK_OK(session_destroy(a));
  CHECK_OK(session_destroy(b));
  CHECK_OK(session_destroy(c));
  stop();
}

static void list_refuses(void) {
  session_list_options_t options;
  char *json = NULL;
  char *cursor = NULL;

  start();
  session_options_init(&options, (uint32_t)sizeof options);
  options.fields = "id,flavour";
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, session_list(store, &options, &json, NULL, &cursor));
  CHECK(json == NULL && cursor == NULL);
  CHECK_DETAILS("\"argument\":\"fields\"");
  session_options_init(&options, (uint32_t)sizeof options);
  options.filter_json = "{\"state\":[\"purple\"]}";
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, session_list(store, &options, &json, NULL, NULL));
  options.filter_json = "{\"state\"";
  CHECK_STATUS(SESSION_E_INVALID_JSON, session_list(store, &options, &json, NULL, NULL));
  options.filter_json = "[]";
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, session_list(store, &options, &json, NULL, NULL));
  session_options_init(&options, (uint32_t)sizeof options);
  options.order = 5;
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, session_list(store, &options, &json, NULL, NULL));
  options.order = -1;
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, session_list(store, &options, &json, NULL, NULL));
  session_options_init(&options, (uint32_t)sizeof options);
  options.archived = 3;
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, session_list(store, &options, &json, NULL, NULL));
  session_options_init(&options, (uint32_t)sizeof options);
  options.cursor = "not a cursor";
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, session_list(store, &options, &json, NULL, NULL));
  session_options_init(&options, (uint32_t)sizeof options);
  options.parent_id = "../x";
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, session_list(store, &options, &json, NULL, NULL));
  CHECK(json == NULL);
  stop();
}

/* Walks all pages; the ids, in the order met, joined by spaces. */
static char *walk(session_list_options_t *options) {
  char *all = (char *)calloc(1, 65536);
  char *cursor = NULL;
  int pages = 0;
  for (;;) {
    char *next = NULL;
    char *json;
    const char *place;
    options->cursor = cursor;
    json = list_with(options, &next);
    CHECK(text_count(json, "\"id\":") <= (int)options->limit);
    for (place = json; (place = json_after(place, "id")) != NULL;) {
      char id[160];
      snprintf(id, sizeof id, "%.*s", (int)(strchr(place + 1, '"') - place - 1), place + 1);
      strcat(strcat(all, id), " ");
    }
    session_string_free(json);
    session_string_free(cursor);
    cursor = next;
    if (cursor == NULL || !CHECK(++pages < 100)) break;
  }
  session_string_free(cursor);
  options->cursor = NULL;
  return all;
}

static void paging(void) {
  static const int32_t orders[] = {SESSION_ORDER_UPDATED_DESC, SESSION_ORDER_UPDATED_ASC,
                                   SESSION_ORDER_CREATED_DESC, SESSION_ORDER_CREATED_ASC,
                                   SESSION_ORDER_ACTIVE_DESC};
  session_list_options_t options = SESSION_INIT(session_list_options_t);
  char ids[25][160];
  char *next = NULL;
  char *json;
  size_t i;
  int k;

  start();
  for (k = 0; k < 25; ++k) {
    session_t *session = create(NULL, "page");
    id_of(session, ids[k], sizeof ids[k]);
    CHECK_OK(session_destroy(session));
  }
  options.fields = "id";
  for (i = 0; i < sizeof orders / sizeof orders[0]; ++i) {
    char *paged;
    char *whole;
    options.order = orders[i];
    options.limit = 7;
    paged = walk(&options);
    options.limit = 1000;
    whole = walk(&options);
    CHECK_STR(whole, paged);
    CHECK_INT(25, text_count(paged, " "));
    for (k = 0; k < 25; ++k) {
      char word[170];
      snprintf(word, sizeof word, "%.160s ", ids[k]);
      CHECK_HAS(paged, word);
    }
    free(paged);
    free(whole);
  }

  /* A cursor survives a restart, and is refused with other options. */
  options.order = SESSION_ORDER_CREATED_ASC;
  options.limit = 10;
  json = list_with(&options, &next);
  CHECK(next != NULL && next[0] != '\0');
  session_string_free(json);
  CHECK_OK(session_store_close(store));
  NEED(session_store_open(folder, NULL, &store));
  options.cursor = next;
  json = list_with(&options, NULL);
  CHECK_HAS(json, ids[10]);
  CHECK_INT(10, text_count(json, "\"id\":"));
  session_string_free(json);
  json = NULL;
  options.order = SESSION_ORDER_CREATED_DESC;
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, session_list(store, &options, &json, NULL, NULL));
  CHECK_DETAILS("\"argument\":\"cursor\"");
  options.order = SESSION_ORDER_CREATED_ASC;
  options.title_contains = "p";
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, session_list(store, &options, &json, NULL, NULL));
  session_string_free(next);
  stop();
}

/* A rename makes a session the last changed one, not the last conversation. */
static void last_conversation_first(void) {
  session_list_options_t options = SESSION_INIT(session_list_options_t);
  session_append_options_t later = SESSION_INIT(session_append_options_t);
  session_t *a;
  session_t *b;
  session_t *c;

  start();
  a = create(NULL, "a");
  b = create(NULL, "b");
  c = create(NULL, "c");
  later.timestamp = 1000;
  CHECK_OK(session_append_event_ex(c, "user_prompt", "{\"text\":\"1970\"}", 15, &later, NULL));
  later.timestamp = 4102444800000;
  CHECK_OK(session_append_event_ex(a, "user_prompt", "{\"text\":\"2100\"}", 15, &later, NULL));
  CHECK_OK(session_update_title(b, "renamed"));
  options.fields = "title";
  options.order = SESSION_ORDER_ACTIVE_DESC;
  expect_list(&options, "[{\"title\":\"a\"},{\"title\":\"renamed\"},{\"title\":\"c\"}]");
  CHECK_OK(session_destroy(a));
  CHECK_OK(session_destroy(b));
  CHECK_OK(session_destroy(c));
  stop();
}

static void infos(void) {
  session_t *a;
  session_t *b;
  char id_a[160];
  char id_b[160];
  char ids[512];
  char *json = NULL;
  size_t length = 0;

  start();
  a = create(NULL, "A");
  b = create(NULL, "B");
  id_of(a, id_a, sizeof id_a);
  id_of(b, id_b, sizeof id_b);
  snprintf(ids, sizeof ids, "[\"%s\",\"session_1\",\"%s\",\"%s\"]", id_b, id_a, id_b);
  CHECK_OK(session_get_infos(store, ids, "title", &json, &length));
  CHECK_STR("[{\"title\":\"B\"},null,{\"title\":\"A\"},{\"title\":\"B\"}]", json);
  CHECK_INT(length, json == NULL ? 0 : strlen(json));
  session_string_free(json);
  json = NULL;
  CHECK_OK(session_get_infos(store, "[]", NULL, &json, NULL));
  CHECK_STR("[]", json);
  session_string_free(json);
  json = NULL;
  snprintf(ids, sizeof ids, "[\"%s\"]", id_a);
  CHECK_OK(session_get_infos(store, ids, NULL, &json, NULL));
  CHECK_HAS(json, "\"metadata\":{},\"facts\":{}}]");
  session_string_free(json);
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, session_get_infos(store, ids, "x", &json, &length));
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, session_get_infos(store, "{}", NULL, &json, &length));
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, session_get_infos(store, "[1]", NULL, &json, &length));
  CHECK_STATUS(SESSION_E_INVALID_JSON, session_get_infos(store, "[", NULL, &json, &length));
  CHECK(json == NULL && length == 0);
  CHECK_OK(session_destroy(a));
  CHECK_OK(session_destroy(b));
  stop();
}

int main(void) {
  RUN(list);
  RUN(list_refuses);
  RUN(paging);
  RUN(last_conversation_first);
  RUN(infos);
  return check_done("list");
}
