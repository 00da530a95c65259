/* sessions/events.h: session_transcript in its four formats, its options, and what it refuses. */
#include "one_store.h"

static char *transcript(session_t *session, int32_t format, const char *options) {
  char *text = NULL;
  size_t length = 0;
  CHECK_OK(session_transcript(session, format, options, &text, &length));
  CHECK_INT(length, text == NULL ? 0 : strlen(text));
  return text;
}

static void append_in_turn(session_t *session, const char *turn, const char *type,
                           const char *data) {
  session_append_options_t options = SESSION_INIT(session_append_options_t);
  options.turn_id = turn;
  CHECK_OK(session_append_event_ex(session, type, data, strlen(data), &options, NULL));
}

static session_t *conversation(void) {
  session_t *session = create(NULL, NULL);
  append_in_turn(session, "t1", "user_prompt", "{\"text\":\"Fix </script> it\"}");
  append_in_turn(session, "t1", "agent_thought", "{\"text\":\"Hm\"}");
  append_in_turn(session, "t1", "agent_message", "{\"text\":\"On \"}");
  append_in_turn(session, "t1", "agent_message", "{\"text\":\"it.\"}");
  append_in_turn(session, "t1", "tool_call",
                 "{\"tool_call_id\":\"c1\",\"title\":\"Read it\",\"kind\":\"read\",\"status\":"
                 "\"pending\",\"raw_input\":{\"path\":\"a.c\"}}");
  append_in_turn(session, "t1", "tool_call_update",
                 "{\"tool_call_id\":\"c1\",\"status\":\"completed\",\"raw_output\":\"int a;\"}");
  append_in_turn(session, "t1", "turn_end", "{\"stop_reason\":\"end_turn\"}");
  return session;
}

static void four_formats(void) {
  session_t *session;
  char *text;

  start();
  session = conversation();
  text = transcript(session, SESSION_TRANSCRIPT_MESSAGES, NULL);
  CHECK_INT(2, text_count(text, "\"role\":"));
  CHECK_HAS(text, "{\"messages\":[{\"id\":\"m-1\",\"role\":\"user\",");
  CHECK_HAS(text, "\"text\":\"Fix </script> it\",\"parts\":[");
  CHECK_HAS(text, "{\"type\":\"text\",\"text\":\"On it.\"}");
  CHECK_HAS(text, "\"input\":{\"path\":\"a.c\"},\"output\":\"int a;\"}");
  CHECK_HAS(text, "],\"last_seq\":7}");
  session_string_free(text);

  text = transcript(session, SESSION_TRANSCRIPT_UI_MESSAGES, "{}");
  CHECK_HAS(text, "{\"type\":\"reasoning\",\"text\":\"Hm\"},{\"type\":\"text\",\"text\":\"On it.\"},"
                  "{\"type\":\"tool-read\",\"toolCallId\":\"c1\",\"title\":\"Read it\",\"state\":"
                  "\"output-available\",\"input\":{\"path\":\"a.c\"},\"output\":\"int a;\"}]}");
  session_string_free(text);

  text = transcript(session, SESSION_TRANSCRIPT_MARKDOWN, "{\"title\":\"A #talk\"}");
  CHECK_HAS(text, "# A \\#talk\n");
  CHECK_HAS(text, "\n## User\n\nFix &lt;/script> it\n");
  CHECK_HAS(text, "On it.\n");
  session_string_free(text);

  text = transcript(session, SESSION_TRANSCRIPT_HTML, "{\"title\":\"<b>\"}");
  CHECK_INT(0, strncmp(text, "<!DOCTYPE html>", 15));
  CHECK_HAS(text, "<title>&lt;b&gt;</title>");
  CHECK_HAS(text, "Fix &lt;/script&gt; it");
  CHECK_LACKS(text, "<script");
  CHECK_HAS(text, "</html>\n");
  session_string_free(text);
  CHECK_OK(session_destroy(session));
  stop();
}

static void what_is_new(void) {
  session_t *session;
  char *text;

  start();
  session = conversation();
  text = transcript(session, SESSION_TRANSCRIPT_MESSAGES, NULL);
  session_string_free(text);
  append_in_turn(session, "t2", "user_prompt", "{\"text\":\"More\"}");
  text = transcript(session, SESSION_TRANSCRIPT_MESSAGES, "{\"after_seq\":7}");
  CHECK_HAS(text, "{\"messages\":[{\"id\":\"m-8\",\"role\":\"user\",");
  CHECK_INT(1, text_count(text, "\"role\":"));
  session_string_free(text);
  text = transcript(session, SESSION_TRANSCRIPT_MESSAGES, "{\"until_seq\":1}");
  CHECK_HAS(text, "\"id\":\"m-1\"");
  CHECK_INT(1, text_count(text, "\"role\":"));
  CHECK_HAS(text, "\"last_seq\":1}");
  session_string_free(text);
  CHECK_OK(session_destroy(session));
  stop();
}

#define REFUSED(status, session, format, options) \
  do { \
    text = (char *)1; \
    length = 1; \
    CHECK_STATUS(status, session_transcript(session, format, options, &text, &length)); \
    CHECK(text == NULL); \
    CHECK_INT(0, length); \
  } while (0)

static void what_is_refused(void) {
  session_t *session;
  char *text;
  size_t length;

  start();
  session = conversation();
  REFUSED(SESSION_E_INVALID_ARGUMENT, session, 4, NULL);
  CHECK_DETAILS("{\"argument\":\"format\"}");
  REFUSED(SESSION_E_INVALID_ARGUMENT, session, -1, NULL);
  REFUSED(SESSION_E_INVALID_ARGUMENT, session, 0, "{\"limit\":1}");
  CHECK_DETAILS("{\"argument\":\"options_json\",\"expected\":\"one of after");
  REFUSED(SESSION_E_INVALID_ARGUMENT, session, 0, "[]");
  REFUSED(SESSION_E_INVALID_ARGUMENT, session, 0, "{\"after_seq\":-1}");
  REFUSED(SESSION_E_INVALID_ARGUMENT, session, 0, "{\"after_seq\":9007199254740992}");
  REFUSED(SESSION_E_INVALID_ARGUMENT, session, 0, "{\"after_seq\":1.5}");
  REFUSED(SESSION_E_INVALID_ARGUMENT, session, 0, "{\"until_seq\":\"1\"}");
  REFUSED(SESSION_E_INVALID_ARGUMENT, session, 0, "{\"include_hidden\":1}");
  REFUSED(SESSION_E_INVALID_ARGUMENT, session, 0, "{\"title\":7}");
  REFUSED(SESSION_E_INVALID_JSON, session, 0, "");
  REFUSED(SESSION_E_INVALID_JSON, session, 0, "{\"title\":}");
  REFUSED(SESSION_E_INVALID_UTF8, session, 0, "{\"title\":\"\xff\"}");
  REFUSED(SESSION_E_INVALID_HANDLE, NULL, 0, NULL);
  REFUSED(SESSION_E_INVALID_HANDLE, (session_t *)(void *)store, 0, NULL);
  CHECK_OK(session_destroy(session));
  REFUSED(SESSION_E_INVALID_HANDLE, session, 0, NULL);
  stop();
}

static void through_a_share(void) {
  session_share_options_t options = SESSION_INIT(session_share_options_t);
  session_t *session;
  session_t *view = NULL;
  char *json = NULL;
  char *text;
  size_t length;
  char secret[64] = "";
  const char *at;

  start();
  session = conversation();
  options.first_seq = 2;
  options.last_seq = 4;
  CHECK_OK(session_create_share(session, &options, &json, NULL));
  at = strstr(json, "\"secret\":\"");
  CHECK(at != NULL);
  if (at != NULL) memcpy(secret, at + 10, 43);
  session_string_free(json);
  NEED(session_resolve_share(store, secret, &view));
  text = transcript(view, SESSION_TRANSCRIPT_MESSAGES, NULL);
  CHECK_HAS(text, "{\"messages\":[{\"id\":\"m-2\",\"role\":\"assistant\",");
  CHECK_LACKS(text, "script");
  CHECK_LACKS(text, "tool_call");
  CHECK_HAS(text, "\"last_seq\":4}");
  session_string_free(text);
  text = transcript(view, SESSION_TRANSCRIPT_MESSAGES, "{\"until_seq\":99}");
  CHECK_HAS(text, "\"last_seq\":4}");
  session_string_free(text);
  REFUSED(SESSION_E_ACCESS_DENIED, view, 0, "{\"include_hidden\":true}");
  CHECK_DETAILS("{\"rule\":\"share.hidden\"}");
  CHECK_OK(session_destroy(view));
  CHECK_OK(session_destroy(session));
  stop();
}

int main(void) {
  RUN(four_formats);
  RUN(what_is_new);
  RUN(what_is_refused);
  RUN(through_a_share);
  return check_done("transcript");
}
