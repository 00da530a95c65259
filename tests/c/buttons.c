/* Action buttons: set, cut, bound to an event, and gone with the next prompt, in every process. */
#include "processes.h"

/* ---- the second process --------------------------------------------------------------------- */

static void expect_buttons(session_t *session, const char *expected) {
  char *json = NULL;
  size_t length = 0;
  CHECK_OK(session_get_buttons(session, &json, &length));
  CHECK_STR(expected, json);
  CHECK_INT(length, json == NULL ? 0 : strlen(json));
  session_string_free(json);
}

#define NONE "{\"for_seq\":null,\"buttons\":[]}"
#define ONE "[{\"label\":\"Go\",\"response\":\"Please go on.\"}]"

static void second_prompts(void) {
  expect_buttons(second, "{\"for_seq\":1,\"buttons\":" ONE "}");
  CHECK_OK(append_text(second, "user_prompt", "{\"text\":\"no\"}", NULL));
}

static int second_main(const char *role, const char *path, const char *id) {
  alarm(GUARD_MS / 1000);
  if (!open_second(path, id)) return 1;
  if (strcmp(role, "prompts") == 0) second_prompts();
  return close_second();
}

/* ---- the first ------------------------------------------------------------------------------ */

static void set_and_get(void) {
  session_t *session;
  char id[160];

  start();
  session = create(NULL, NULL);
  id_of(session, id, sizeof id);
  expect_buttons(session, NONE);
  CHECK_OK(append_text(session, "user_prompt", "{}", NULL));
  CHECK_OK(append_text(session, "agent_message", "{}", NULL));
  CHECK_OK(session_set_buttons(session, ONE, 0));
  expect_buttons(session, "{\"for_seq\":2,\"buttons\":" ONE "}");
  CHECK_OK(session_set_buttons(session, "[{\"label\":\"A\",\"response\":\"\\u00e9\"}]", 1));
  CHECK_OK(append_text(session, "note", "{}", NULL)); /* is no prompt */
  CHECK_OK(session_destroy(session));
  CHECK_OK(session_store_close(store)); /* they last */
  NEED(session_store_open(folder, NULL, &store));
  NEED(session_open(store, id, &session));
  expect_buttons(session, "{\"for_seq\":1,\"buttons\":[{\"label\":\"A\",\"response\":\"\xC3\xA9\"}]}");
  CHECK_OK(session_set_buttons(session, "[]", 0));
  expect_buttons(session, NONE);
  CHECK_OK(session_set_buttons(session, "[]", 0));
  CHECK_OK(session_set_buttons(session, "[{\"label\":\"Yes\"}]", 0)); /* says what it shows */
  expect_buttons(session, "{\"for_seq\":3,\"buttons\":[{\"label\":\"Yes\",\"response\":\"Yes\"}]}");

  CHECK_OK(session_set_buttons(session, ONE, 0));
  CHECK_OK(append_text(session, "user_prompt", "{}", NULL));
  expect_buttons(session, NONE);
  CHECK_STATUS(SESSION_E_CONFLICT, session_set_buttons(session, ONE, 3)); /* too late */
  CHECK_OK(session_set_buttons(session, ONE, 4));
  expect_buttons(session, "{\"for_seq\":4,\"buttons\":" ONE "}");
  CHECK_OK(session_destroy(session));
  stop();
}

static void cut_to_size(void) {
  session_t *session;
  char *json = NULL;
  char text[16384];
  char expected[16384];
  size_t used = 0;
  size_t wanted = 0;
  int i;

  start();
  session = create(NULL, NULL);
  CHECK_OK(append_text(session, "agent_message", "{}", NULL));
  used += (size_t)snprintf(text, sizeof text, "[{\"label\":\"");
  wanted += (size_t)snprintf(expected, sizeof expected, "{\"for_seq\":1,\"buttons\":[{\"label\":\"");
  for (i = 0; i < 60; ++i) {
    used += (size_t)snprintf(text + used, sizeof text - used, "\xE2\x82\xAC");
    if (i < 50) wanted += (size_t)snprintf(expected + wanted, sizeof expected - wanted, "\xE2\x82\xAC");
  }
  used += (size_t)snprintf(text + used, sizeof text - used, "\",\"response\":\"");
  wanted += (size_t)snprintf(expected + wanted, sizeof expected - wanted, "\",\"response\":\"");
  for (i = 0; i < 1001; ++i) {
    used += (size_t)snprintf(text + used, sizeof text - used, "\xC3\xA9");
    if (i < 1000) wanted += (size_t)snprintf(expected + wanted, sizeof expected - wanted, "\xC3\xA9");
  }
  snprintf(text + used, sizeof text - used, "\"}]");
  snprintf(expected + wanted, sizeof expected - wanted, "\"}]}");
  CHECK_OK(session_set_buttons(session, text, 0));
  expect_buttons(session, expected);

  CHECK_OK(session_set_buttons(session,
      "[{\"label\":\"1\",\"response\":\"a\"},{\"label\":\"2\",\"response\":\"b\"},"
      "{\"label\":\"3\",\"response\":\"c\"},{\"label\":\"4\",\"response\":\"d\"},"
      "{\"label\":\"5\",\"response\":\"e\"},{\"label\":\"6\",\"response\":\"f\"}]", 0));
  CHECK_OK(session_get_buttons(session, &json, NULL));
  CHECK_INT(5, text_count(json, "\"label\":"));
  CHECK_LACKS(json, "\"6\"");
  session_string_free(json);
  CHECK_OK(session_destroy(session));
  stop();
}

static void bad_input(void) {
  static const char *const refused[] = {"{}", "1", "null", "[1]", "[{}]",
                                        "[{\"label\":\"\"}]", "[{\"response\":\"b\"}]",
                                        "[{\"label\":1,\"response\":\"b\"}]"};
  session_share_options_t live = SESSION_INIT(session_share_options_t);
  session_t *session;
  session_t *view = NULL;
  char *json = NULL;
  char invalid[] = "[{\"label\":\"\xFF\",\"response\":\"b\"}]";
  char secret[128];
  size_t i;

  start();
  session = create(NULL, NULL);
  CHECK_OK(append_text(session, "agent_message", "{}", NULL));
  CHECK_OK(session_set_buttons(session, ONE, 1));
  for (i = 0; i < sizeof refused / sizeof refused[0]; ++i) {
    if (!CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, session_set_buttons(session, refused[i], 0))) {
      printf("    %s\n", refused[i]);
    }
  }
  CHECK_STATUS(SESSION_E_INVALID_JSON, session_set_buttons(session, "[", 0));
  CHECK_STATUS(SESSION_E_INVALID_JSON, session_set_buttons(session, "", 0));
  CHECK_STATUS(SESSION_E_INVALID_UTF8, session_set_buttons(session, invalid, 0));
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, session_set_buttons(session, ONE, 2)); /* not yet */
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, session_set_buttons(session, ONE, UINT64_MAX));
  CHECK_DETAILS("{\"argument\":\"for_seq\"}");
  expect_buttons(session, "{\"for_seq\":1,\"buttons\":" ONE "}"); /* as they were */

  live.flags = SESSION_SHARE_LIVE;
  CHECK_OK(session_create_share(session, &live, &json, NULL));
  NEED(session_resolve_share(store, json_string(json, "secret", secret, sizeof secret), &view));
  session_string_free(json);
  CHECK_STATUS(SESSION_E_ACCESS_DENIED, session_set_buttons(view, ONE, 0));
  CHECK_STATUS(SESSION_E_ACCESS_DENIED, session_get_buttons(view, &json, NULL));
  CHECK(json == NULL);
  CHECK_OK(session_destroy(view));
  CHECK_OK(session_destroy(session));
  stop();
}

static void a_prompt_of_another_process_clears_them(void) {
  session_t *session;
  process_t process;
  char id[160];

  start();
  session = create(NULL, NULL);
  id_of(session, id, sizeof id);
  CHECK_OK(append_text(session, "agent_message", "{}", NULL));
  CHECK_OK(session_set_buttons(session, ONE, 0));
  process = process_start("prompts", id);
  process_end(&process);
  expect_buttons(session, NONE);
  CHECK_STATUS(SESSION_E_CONFLICT, session_set_buttons(session, ONE, 1));
  CHECK_OK(session_destroy(session));
  stop();
}

int main(int count, char **arguments) {
  if (count == 4) return second_main(arguments[1], arguments[2], arguments[3]);
  processes_begin(arguments);
  RUN(set_and_get);
  RUN(cut_to_size);
  RUN(bad_input);
  RUN(a_prompt_of_another_process_clears_them);
  return check_done("buttons");
}
