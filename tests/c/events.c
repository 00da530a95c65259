/* sessions/events.h: append (plain, with options, in batches), read pages from either end. */
#include "one_store.h"

static char *read_page(session_t *session, uint64_t after, uint32_t limit) {
  char *json = NULL;
  size_t length = 0;
  CHECK_OK(session_read_events(session, after, limit, &json, &length));
  CHECK_INT(length, json == NULL ? 0 : strlen(json));
  return json;
}

static char *read_last(session_t *session, uint64_t before, uint32_t limit) {
  char *json = NULL;
  size_t length = 0;
  CHECK_OK(session_read_last_events(session, before, limit, &json, &length));
  CHECK_INT(length, json == NULL ? 0 : strlen(json));
  return json;
}

static void append_and_read(void) {
  session_t *session;
  session_stat_t stat = SESSION_INIT(session_stat_t);
  uint64_t seq = 0;
  char *json;

  start();
  session = create(NULL, NULL);
  json = read_page(session, 0, 0);
  CHECK_HAS(json, "{\"events\":[],\"skipped\":[],");
  CHECK_HAS(json, "\"last_seq\":0,\"has_more\":false}");
  session_string_free(json);

  CHECK_OK(append_text(session, "user_prompt", "{\"text\":\"Fix the cart\"}", &seq));
  CHECK_INT(1, seq);
  CHECK_OK(append_text(session, "tool_call", "{\"name\":\"grep\"}", &seq));
  CHECK_INT(2, seq);
  CHECK_OK(append_text(session, "agent_message", "{\"text\":\"Done\"}", NULL));
  CHECK_OK(append_text(session, "custom:mine", "null", &seq)); /* any type, any JSON value */
  CHECK_INT(4, seq);

  json = read_page(session, 0, 0);
  CHECK_HAS(json, "{\"seq\":1,\"type\":\"user_prompt\",\"timestamp\":");
  CHECK_HAS(json, ",\"data\":{\"text\":\"Fix the cart\"}}");
  CHECK_HAS(json, "{\"seq\":4,\"type\":\"custom:mine\",\"timestamp\":");
  CHECK_HAS(json, ",\"data\":null}],\"skipped\":[],");
  CHECK_HAS(json, "\"last_seq\":4,\"has_more\":false}");
  CHECK_INT(4, json_number(json, "next_after_seq"));
  CHECK_LACKS(json, "turn_id");
  session_string_free(json);

  CHECK_OK(session_get_stat(session, &stat));
  CHECK_INT(4, stat.last_seq);
  CHECK_INT(4, stat.event_count);
  CHECK_INT(2, stat.message_count); /* user_prompt and agent_message */
  CHECK(stat.last_event_at >= stat.created_at);
  CHECK(stat.updated_at >= stat.last_event_at);
  CHECK_OK(session_destroy(session));
  stop();
}

static void data_comes_back_token_for_token(void) {
  static const char *const values[] = {
      "12345678901234567890123",
      "1.50E+010",
      "-0",
      "\"\\u0041\\/\\ud83d\\ude80 \xF0\x9F\x9A\x80\"",
      "\"\\u0000\"",
      "{\"b\":1,\"a\":2,\"b\":3}",
      "[[],{},[null,true,false]]",
      "{\"\":\"\"}",
  };
  session_t *session;
  size_t i;
  char *json;

  start();
  session = create(NULL, NULL);
  for (i = 0; i < sizeof values / sizeof values[0]; ++i) {
    char expected[160];
    CHECK_OK(append_text(session, "t", values[i], NULL));
    json = read_last(session, 0, 1);
    snprintf(expected, sizeof expected, ",\"data\":%s}]", values[i]);
    CHECK_HAS(json, expected);
    session_string_free(json);
  }
  /* Insignificant white space goes, white space in strings stays; no NUL is needed at the end. */
  CHECK_OK(session_append_event(session, "t", " { \"a b\" :\n[ 1 ,\t2 ] } tail", 22, 0, NULL));
  json = read_last(session, 0, 1);
  CHECK_HAS(json, ",\"data\":{\"a b\":[1,2]}}]");
  session_string_free(json);
  CHECK_OK(session_destroy(session));
  stop();
}

static void options(void) {
  session_append_options_t how = SESSION_INIT(session_append_options_t);
  session_t *session;
  uint64_t seq = 0;
  char *json;

  start();
  session = create(NULL, NULL);
  how.timestamp = INT64_C(1795158390001);
  how.turn_id = "t-3";
  how.id = "k-17";
  CHECK_OK(session_append_event_ex(session, "user_prompt", "{}", 2, &how, &seq));
  CHECK_INT(1, seq);
  json = read_page(session, 0, 0);
  CHECK_HAS(json, "{\"seq\":1,\"type\":\"user_prompt\",\"timestamp\":1795158390001,"
                  "\"turn_id\":\"t-3\",\"id\":\"k-17\",\"data\":{}}");
  session_string_free(json);

  /* A repeat answers the first number and writes nothing, also after a restart. */
  CHECK_OK(session_append_event_ex(session, "user_prompt", "{\"other\":1}", 11, &how, &seq));
  CHECK_INT(1, seq);
  CHECK_INFO(session, "\"message_count\":1,\"event_count\":1,\"last_seq\":1,");
  how.id = "k-18";
  CHECK_OK(session_append_event_ex(session, "agent_message", "{}", 2, &how, &seq));
  CHECK_INT(2, seq);
  how.id = "k-17";
  {
    char id[160];
    id_of(session, id, sizeof id);
    CHECK_OK(session_destroy(session));
    CHECK_OK(session_store_close(store));
    NEED(session_store_open(folder, NULL, &store));
    NEED(session_open(store, id, &session));
  }
  CHECK_OK(session_append_event_ex(session, "user_prompt", "{}", 2, &how, &seq));
  CHECK_INT(1, seq);
  CHECK_OK(session_append_event_ex(session, "t", "{}", 2, NULL, &seq));
  CHECK_INT(3, seq);

  session_options_init(&how, (uint32_t)sizeof how);
  how.flags = SESSION_APPEND_RELAXED;
  CHECK_OK(session_append_event_ex(session, "t", "{}", 2, &how, &seq));
  CHECK_INT(4, seq);
  CHECK_OK(session_append_event(session, "t", "{}", 2, SESSION_APPEND_DURABLE, &seq));
  CHECK_INT(5, seq);
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT,
               session_append_event(session, "t", "{}", 2,
                                    SESSION_APPEND_RELAXED | SESSION_APPEND_DURABLE, &seq));
  CHECK_INT(0, seq);
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, session_append_event(session, "t", "{}", 2, 8, &seq));
  CHECK_DETAILS("\"unknown_bits\":8");
  CHECK_OK(session_destroy(session));
  stop();
}

static session_status_t batch(session_t *session, const char *events, char **out_json) {
  return session_append_events(session, events, strlen(events), 0, out_json, NULL);
}

static void checked_data(void) {
  static const char good[] = "{\"text\":\"Hi\",\"extra\":1}";
  static const char bad[] =
      "{\"entries\":[{\"content\":\"a\",\"priority\":\"high\",\"status\":\"pending\"},"
      "{\"content\":\"b\",\"priority\":\"urgent\",\"status\":\"pending\"}]}";
  static const char batch[] =
      "[{\"type\":\"note\",\"data\":{\"text\":\"a\"}},{\"type\":\"custom:x\",\"data\":1},"
      "{\"type\":\"title\",\"data\":{}}]";
  session_append_options_t how = SESSION_INIT(session_append_options_t);
  session_t *session;
  char *json = NULL;
  uint64_t seq = 0;

  start();
  session = create(NULL, NULL);
  CHECK_OK(session_append_event(session, "user_prompt", good, sizeof good - 1, SESSION_APPEND_CHECK,
                                &seq));
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT,
               session_append_event(session, "plan", bad, sizeof bad - 1,
                                    SESSION_APPEND_CHECK | SESSION_APPEND_DURABLE, &seq));
  CHECK_INT(0, seq);
  CHECK_DETAILS("{\"argument\":\"data_json\",\"member\":\"entries[1].priority\","
                "\"expected\":\"one of high, medium, low\"}");
  how.flags = SESSION_APPEND_CHECK;
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT,
               session_append_event_ex(session, "turn_end", "[]", 2, &how, &seq));
  CHECK_DETAILS("\"member\":null,\"expected\":\"object\"");
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT,
               session_append_events(session, batch, sizeof batch - 1, SESSION_APPEND_CHECK, &json,
                                     NULL));
  CHECK_DETAILS("{\"argument\":\"events_json\",\"entry\":2,\"member\":\"title\","
                "\"expected\":\"string\"}");
  CHECK_INFO(session, "\"last_seq\":1");
  /* What nobody knows is stored as it is, and so is anything without the flag. */
  CHECK_OK(session_append_event(session, "custom:x", "[]", 2, SESSION_APPEND_CHECK, NULL));
  CHECK_OK(session_append_event(session, "of_tomorrow", "[]", 2, SESSION_APPEND_CHECK, NULL));
  CHECK_OK(session_append_event(session, "plan", bad, sizeof bad - 1, 0, &seq));
  CHECK_INT(4, seq);
  CHECK_OK(session_destroy(session));
  stop();
}

static void repairs(void) {
  static const char call[] = "{\"tool_call_id\":\"c\"}";
  session_append_options_t how = SESSION_INIT(session_append_options_t);
  session_t *session;
  char *json = NULL;
  size_t length = 0;

  start();
  session = create(NULL, NULL);
  how.turn_id = "t-1";
  CHECK_OK(session_append_event_ex(session, "user_prompt", "{\"text\":\"x\"}", 12, &how, NULL));
  CHECK_OK(session_append_event_ex(session, "tool_call", call, sizeof call - 1, &how, NULL));
  CHECK_OK(session_repair(session, SESSION_REPAIR_DRY_RUN, &json, &length));
  CHECK_INT(strlen(json), length);
  CHECK_HAS(json, "{\"dry_run\":true,\"applied\":false,\"issues\":[],\"actions\":["
                  "{\"code\":\"append_interrupted_tool_result\",\"severity\":\"info\","
                  "\"turn_id\":\"t-1\",\"seq\":2,\"tool_call_id\":\"c\",\"appended_seqs\":[],");
  session_string_free(json);
  CHECK_INFO(session, "\"last_seq\":2");
  CHECK_OK(session_repair(session, SESSION_REPAIR_FORCE, &json, NULL));
  CHECK_HAS(json, "\"applied\":true");
  CHECK_HAS(json, "\"code\":\"append_terminal_error\"");
  CHECK_HAS(json, "\"appended_seqs\":[4,5]");
  session_string_free(json);
  CHECK_OK(session_repair(session, 0, &json, NULL));
  CHECK_STR("{\"dry_run\":false,\"applied\":false,\"issues\":[],\"actions\":[],"
            "\"issues_left_off\":0}", json);
  session_string_free(json);
  json = NULL;
  CHECK_INFO(session, "\"last_seq\":5");
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, session_repair(session, 8, &json, NULL));
  CHECK(json == NULL);
  CHECK_DETAILS("\"unknown_bits\":8");
  CHECK_OK(session_destroy(session));
  stop();
}

static void batches(void) {
  session_t *session;
  char *json = NULL;
  uint64_t before;

  start();
  session = create(NULL, NULL);
  CHECK_OK(batch(session,
                 "[{\"type\":\"user_prompt\",\"data\":{\"n\":1},\"id\":\"a\"},"
                 " {\"type\":\"tool_call\",\"data\":2,"
                 "\"turn_id\":\"t\",\"timestamp\":1795158390001},"
                 " {\"type\":\"agent_message\",\"data\":null}]",
                 &json));
  CHECK_STR("{\"first_seq\":1,\"last_seq\":3,\"seqs\":[1,2,3],\"duplicates\":[]}", json);
  session_string_free(json);
  json = NULL;
  /* Repeats: of an earlier event, and within the batch. */
  CHECK_OK(batch(session,
                 "[{\"type\":\"t\",\"data\":1},{\"type\":\"t\",\"data\":1,\"id\":\"a\"},"
                 "{\"type\":\"t\",\"data\":1,\"id\":\"b\"},"
                 "{\"type\":\"t\",\"data\":2,\"id\":\"b\"}]",
                 &json));
  CHECK_STR("{\"first_seq\":4,\"last_seq\":5,\"seqs\":[4,1,5,5],\"duplicates\":[1,3]}", json);
  session_string_free(json);
  CHECK_INFO(session, "\"message_count\":2,\"event_count\":5,\"last_seq\":5,");
  json = read_page(session, 1, 1);
  CHECK_HAS(json, "{\"seq\":2,\"type\":\"tool_call\",\"timestamp\":1795158390001,"
                  "\"turn_id\":\"t\",\"data\":2}");
  session_string_free(json);
  json = NULL;

  /* All or nothing. */
  before = revision_of(session);
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT,
               batch(session, "[{\"type\":\"t\",\"data\":1},{\"type\":\"\",\"data\":1}]", &json));
  CHECK(json == NULL);
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT,
               batch(session, "[{\"type\":\"t\",\"data\":1},{\"data\":1}]", &json));
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, batch(session, "[7]", &json));
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, batch(session, "{}", &json));
  CHECK_STATUS(SESSION_E_INVALID_JSON, batch(session, "[{\"type\":\"t\",\"data\":1},{]", &json));
  CHECK_INT(24, session_last_error()->offset);
  CHECK_STATUS(SESSION_E_INVALID_JSON, batch(session, "", &json));
  CHECK_INT(before, revision_of(session));
  CHECK_INFO(session, "\"event_count\":5,\"last_seq\":5,");
  CHECK_OK(session_destroy(session));
  stop();
}

static void event_types(void) {
  session_t *session;
  char *longest = text_of('t', 128);
  char *too_long = text_of('t', 129);

  start();
  session = create(NULL, NULL);
  CHECK_OK(append_text(session, longest, "{}", NULL));
  CHECK_OK(append_text(session, "with \"quotes\" and \xC3\xA9", "{}", NULL));
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, append_text(session, too_long, "{}", NULL));
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, append_text(session, "", "{}", NULL));
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, append_text(session, "a\nb", "{}", NULL));
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, append_text(session, "a\x7F", "{}", NULL));
  CHECK_STATUS(SESSION_E_INVALID_UTF8, append_text(session, "a\xC3", "{}", NULL));
  CHECK_INT(1, session_last_error()->offset);
  CHECK_INFO(session, "\"last_seq\":2");
  free(longest);
  free(too_long);
  CHECK_OK(session_destroy(session));
  stop();
}

static void pages(void) {
  session_t *session;
  char *json;
  int i;
  uint64_t after = 0;
  uint64_t before = 0;
  uint64_t expected;
  int more = 1;

  start();
  session = create(NULL, NULL);
  for (i = 1; i <= 25; ++i) CHECK_OK(append_text(session, "t", "{}", NULL));

  for (expected = 1; more && expected <= 25;) {
    char first[32];
    json = read_page(session, after, 10);
    snprintf(first, sizeof first, "{\"events\":[{\"seq\":%d,", (int)expected);
    CHECK_HAS(json, first);
    expected += (uint64_t)text_count(json, "\"seq\":");
    more = strstr(json, "\"has_more\":true") != NULL;
    CHECK_INT(expected <= 25, more);
    after = (uint64_t)json_number(json, "next_after_seq");
    CHECK_INT(expected - 1, after);
    session_string_free(json);
  }
  CHECK_INT(26, expected);
  json = read_page(session, 25, 10);
  CHECK_HAS(json, "{\"events\":[],");
  CHECK_INT(25, json_number(json, "next_after_seq")); /* asking again later goes on from here */
  session_string_free(json);
  json = read_page(session, 1000, 10);
  CHECK_HAS(json, "{\"events\":[],");
  session_string_free(json);

  /* Backwards: each page is oldest first. */
  for (expected = 25, more = 1; more && expected >= 1;) {
    char last[32];
    int count;
    json = read_last(session, before, 10);
    count = text_count(json, "\"seq\":");
    snprintf(last, sizeof last, "{\"seq\":%d,", (int)expected);
    CHECK_HAS(json, last);
    CHECK_INT((int)expected - count + 1, json_number(json, "seq"));
    expected -= (uint64_t)count;
    more = strstr(json, "\"has_more\":true") != NULL;
    CHECK_INT(expected > 0, more);
    before = (uint64_t)json_number(json, "previous_before_seq");
    CHECK_INT(25, json_number(json, "last_seq"));
    session_string_free(json);
  }
  CHECK_INT(0, expected);
  json = read_last(session, 1, 10);
  CHECK_HAS(json, "{\"events\":[],");
  session_string_free(json);
  json = read_last(session, 3, 10);
  CHECK_INT(2, text_count(json, "\"seq\":"));
  session_string_free(json);
  CHECK_OK(session_destroy(session));
  stop();
}

/* A page is cut at 1 MiB, but holds at least one event, however large. */
static void large_events(void) {
  session_t *session;
  const size_t size = 400 * 1024;
  char *data = text_of('x', size);
  char *huge = text_of('x', 3 * 1024 * 1024);
  char *json;
  int i;

  start();
  session = create(NULL, NULL);
  data[0] = data[size - 1] = '"';
  huge[0] = huge[3 * 1024 * 1024 - 1] = '"';
  for (i = 0; i < 5; ++i) CHECK_OK(session_append_event(session, "t", data, size, 0, NULL));
  CHECK_OK(session_append_event(session, "t", huge, 3 * 1024 * 1024, 0, NULL));
  json = read_page(session, 0, 0);
  i = text_count(json, "\"seq\":");
  CHECK(i >= 2 && i <= 3);
  CHECK_HAS(json, "\"has_more\":true");
  session_string_free(json);
  json = read_page(session, 5, 0);
  CHECK_INT(1, text_count(json, "\"seq\":"));
  CHECK_HAS(json, "{\"seq\":6,");
  CHECK_HAS(json, "\"has_more\":false");
  session_string_free(json);
  json = read_last(session, 0, 0);
  CHECK_INT(1, text_count(json, "\"seq\":"));
  CHECK_HAS(json, "\"has_more\":true");
  session_string_free(json);
  free(data);
  free(huge);
  CHECK_OK(session_destroy(session));
  stop();
}

static void an_event_larger_than_allowed(void) {
  session_t *session;
  const size_t size = 64 * 1024 * 1024 + 1;
  char *data = text_of('x', size);

  start();
  session = create(NULL, NULL);
  data[0] = data[size - 1] = '"';
  CHECK_STATUS(SESSION_E_LIMIT, session_append_event(session, "t", data, size, 0, NULL));
  CHECK_DETAILS("{\"limit\":\"event_bytes_max\",\"max\":67108864,\"actual\":67108865}");
  CHECK_OK(append_text(session, "t", "{}", NULL));
  free(data);
  CHECK_OK(session_destroy(session));
  stop();
}

int main(void) {
  RUN(append_and_read);
  RUN(data_comes_back_token_for_token);
  RUN(options);
  RUN(checked_data);
  RUN(repairs);
  RUN(batches);
  RUN(event_types);
  RUN(pages);
  RUN(large_events);
  RUN(an_event_larger_than_allowed);
  return check_done("events");
}
