/* Text that is wrong: ids, UTF-8, JSON. Every call that takes such text is tried. */
#include "one_store.h"

static session_t *subject;
static char *json_out;

static void begin(void) {
  start();
  subject = create(NULL, "subject");
}

static void end(void) {
  CHECK(json_out == NULL);
  CHECK_OK(session_destroy(subject));
  stop();
}

/* ---- ids ------------------------------------------------------------------------------------ */

static session_status_t open_id(const char *text) { return open_status(text); }
static session_status_t restore_id(const char *text) { return session_restore(store, text); }
static session_status_t parent_id(const char *text) {
  session_t *made = NULL;
  session_status_t status = session_create(store, text, NULL, &made);
  CHECK_OK(session_destroy(made));
  return status;
}
static session_status_t list_parent_id(const char *text) {
  session_list_options_t options = SESSION_INIT(session_list_options_t);
  options.parent_id = text;
  return session_list(store, &options, &json_out, NULL, NULL);
}

static void malformed_ids(void) {
  static const char *const ids[] = {
      "", ".", "..", "../x", "x/y", "/", "/etc/passwd", "..\\x", "a b", "a\nb", ".hidden",
      "session_1\t", "a:b", "caf\xC3\xA9", "*", "session_1/../session_1", "%2e%2e", "C:x"};
  char *long_id = text_of('a', 128);
  char *too_long = text_of('a', 129);
  char *huge = text_of('a', 1 << 20);
  size_t i;

  begin();
  for (i = 0; i < sizeof ids / sizeof ids[0]; ++i) {
    if (!CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, open_id(ids[i])) ||
        !CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, restore_id(ids[i])) ||
        !CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, parent_id(ids[i])) ||
        !CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, list_parent_id(ids[i]))) {
      printf("    id \"%s\"\n", ids[i]);
    }
  }
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, open_id(too_long));
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, open_id(huge));
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, parent_id(too_long));
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, restore_id(too_long));

  /* Well formed, but nobody's. */
  CHECK_STATUS(SESSION_E_NOT_FOUND, open_id(long_id));
  CHECK_STATUS(SESSION_E_NOT_FOUND, open_id("session_1795158388123"));
  CHECK_STATUS(SESSION_E_NOT_FOUND, open_id("A-z_0.9"));
  CHECK_STATUS(SESSION_E_NOT_FOUND, open_id("session_99999999999999999999999999"));
  CHECK_STATUS(SESSION_E_NOT_FOUND, open_id("session_-1"));
  CHECK_STATUS(SESSION_E_NOT_FOUND, open_id("session_"));
  CHECK_STATUS(SESSION_E_NOT_FOUND, restore_id("session_1795158388123"));
  CHECK_STATUS(SESSION_E_NOT_FOUND, parent_id("session_1795158388123"));
  free(long_id);
  free(too_long);
  free(huge);
  end();
}

/* An id in a list of ids is looked up, so one that cannot exist is merely unknown. */
static void malformed_ids_in_get_infos(void) {
  begin();
  CHECK_OK(session_get_infos(store, "[\"../x\",\"\",\"session_1\"]", NULL, &json_out, NULL));
  CHECK_STR("[null,null,null]", json_out);
  session_string_free(json_out);
  json_out = NULL;
  end();
}

/* ---- UTF-8 ---------------------------------------------------------------------------------- */

static session_status_t title_text(const char *text) {
  return session_update_title(subject, text);
}
static session_status_t suggested_title_text(const char *text) {
  return session_suggest_title(subject, text, NULL);
}
static session_status_t reason_text(const char *text) { return session_abort(subject, text); }
static session_status_t metadata_text(const char *text) {
  return session_update_metadata(subject, text);
}
static session_status_t update_text(const char *text) {
  return session_update(subject, text, 0, NULL);
}
static session_status_t configure_text(const char *text) {
  return session_store_configure(store, NULL, text);
}
static session_status_t ids_text(const char *text) {
  return session_get_infos(store, text, NULL, &json_out, NULL);
}
static session_status_t event_text(const char *text) {
  return append_text(subject, "t", text, NULL);
}
static session_status_t batch_text(const char *text) {
  return session_append_events(subject, text, strlen(text), 0, &json_out, NULL);
}
static session_status_t type_text(const char *text) {
  return append_text(subject, text, "{}", NULL);
}
static session_status_t created_title_text(const char *text) {
  session_create_options_t options = SESSION_INIT(session_create_options_t);
  session_t *made = NULL;
  session_status_t status;
  options.title = text;
  status = session_create(store, NULL, &options, &made);
  CHECK_OK(session_destroy(made));
  return status;
}
static session_status_t created_metadata_text(const char *text) {
  session_create_options_t options = SESSION_INIT(session_create_options_t);
  session_t *made = NULL;
  session_status_t status;
  options.metadata_json = text;
  status = session_create(store, NULL, &options, &made);
  CHECK_OK(session_destroy(made));
  return status;
}
static session_status_t created_facts_text(const char *text) {
  session_create_options_t options = SESSION_INIT(session_create_options_t);
  session_t *made = NULL;
  session_status_t status;
  options.facts_json = text;
  status = session_create(store, NULL, &options, &made);
  CHECK_OK(session_destroy(made));
  return status;
}
static session_status_t filter_text(const char *text) {
  session_list_options_t options = SESSION_INIT(session_list_options_t);
  options.filter_json = text;
  return session_list(store, &options, &json_out, NULL, NULL);
}
static session_status_t contains_text(const char *text) {
  session_list_options_t options = SESSION_INIT(session_list_options_t);
  options.title_contains = text;
  return session_list(store, &options, &json_out, NULL, NULL);
}

typedef session_status_t (*use_t)(const char *text);

static void text_that_is_not_utf8(void) {
  static const struct {
    const char *text;
    int offset;
  } cases[] = {
      {"\xFF", 0},             /* no such byte */
      {"ab\x80", 2},           /* continues nothing */
      {"a\xC3", 1},            /* cut off */
      {"a\xC3(", 1},           /* not continued */
      {"\xC0\xAF", 0},         /* "/" in two bytes */
      {"abc\xED\xA0\x80", 3},  /* half of a surrogate pair */
      {"\xF4\x90\x80\x80", 0}, /* beyond the last code point */
      {"\xE2\x82", 0},         /* cut off */
  };
  static const use_t uses[] = {title_text, suggested_title_text, reason_text, type_text,
                               created_title_text, contains_text};
  size_t i;
  size_t k;
  begin();
  for (i = 0; i < sizeof cases / sizeof cases[0]; ++i) {
    for (k = 0; k < sizeof uses / sizeof uses[0]; ++k) {
      if (!CHECK_STATUS(SESSION_E_INVALID_UTF8, uses[k](cases[i].text)) ||
          !CHECK_INT(cases[i].offset, session_last_error()->offset)) {
        printf("    case %d, use %d\n", (int)i, (int)k);
      }
    }
  }
  /* In an id it is not one of the characters allowed; either answer refuses it. */
  CHECK(open_id("session_\xFF") == SESSION_E_INVALID_UTF8 ||
        open_id("session_\xFF") == SESSION_E_INVALID_ARGUMENT);
  CHECK_INFO(subject, "\"title\":\"subject\"");
  end();
}

/* In JSON, bad UTF-8 may be met by either check; the byte at fault is the same. */
static void json_that_is_not_utf8(void) {
  static const use_t uses[] = {metadata_text, update_text, event_text, batch_text, ids_text,
                               configure_text, created_metadata_text, created_facts_text,
                               filter_text};
  size_t k;
  begin();
  for (k = 0; k < sizeof uses / sizeof uses[0]; ++k) {
    session_status_t status = uses[k]("{\"a\":\"\xFF\"}");
    if (!CHECK(status == SESSION_E_INVALID_UTF8 || status == SESSION_E_INVALID_JSON) ||
        !CHECK_INT(6, session_last_error()->offset)) {
      printf("    use %d: %s\n", (int)k, session_status_name(status));
    }
  }
  end();
}

/* ---- JSON ----------------------------------------------------------------------------------- */

static void malformed_json(void) {
  static const struct {
    const char *text;
    int offset;
  } cases[] = {
      {"{\"a\":}", 5},   {"{\"a\" 1}", 5}, {"{a:1}", 1},        {"{\"a\":1,}", 7},
      {"{\"a\":01}", 6}, {"[1,2,]", 5},    {"{\"a\":1} x", 8},  {"{\"a\":tru}", -2},
      {"nul", -2},       {"{", 1},         {"{\"a\":\"", -2},   {"{\"a\":'x'}", 5},
      {"", 0},           {"  ", 2},        {"/* c */ {}", 0},   {"{\"a\":\"\\x\"}", -2},
      {"{\"a\":+1}", 5}, {"{\"a\":.5}", 5}, {"{\"a\":\"\t\"}", 6}, {"{\"a\":NaN}", 5},
  };
  static const use_t uses[] = {metadata_text, update_text, event_text, batch_text, ids_text,
                               configure_text, created_metadata_text, created_facts_text,
                               filter_text};
  size_t i;
  size_t k;
  begin();
  for (i = 0; i < sizeof cases / sizeof cases[0]; ++i) {
    for (k = 0; k < sizeof uses / sizeof uses[0]; ++k) {
      int64_t offset;
      if (!CHECK_STATUS(SESSION_E_INVALID_JSON, uses[k](cases[i].text))) {
        printf("    case %s, use %d\n", cases[i].text, (int)k);
        continue;
      }
      offset = session_last_error()->offset;
      /* -2: anywhere in the token will do. */
      if (!CHECK(cases[i].offset == -2
                     ? offset >= 0 && offset <= (int64_t)strlen(cases[i].text)
                     : offset == cases[i].offset)) {
        printf("    case %s, use %d: offset %d\n", cases[i].text, (int)k, (int)offset);
      }
    }
  }
  CHECK_STATUS(SESSION_E_INVALID_JSON, metadata_text("{\"a\":}"));
  CHECK_DETAILS("\"offset\":5,\"line\":1,\"column\":6,");
  CHECK_DETAILS("\"argument\":\"merge_patch_json\"");
  CHECK_STATUS(SESSION_E_INVALID_JSON, metadata_text("{\n \"a\":\n}"));
  CHECK_DETAILS("\"offset\":8,\"line\":3,\"column\":1,");
  CHECK_INFO(subject, "\"metadata\":{}");
  CHECK_INFO(subject, "\"last_seq\":0");
  end();
}

static char *nested(int depth, const char *before, const char *after) {
  char *text = (char *)malloc(strlen(before) + strlen(after) + 2 * (size_t)depth + 1);
  char *end = text + sprintf(text, "%s", before);
  int i;
  for (i = 0; i < depth; ++i) *end++ = '[';
  for (i = 0; i < depth; ++i) *end++ = ']';
  strcpy(end, after);
  return text;
}

static void deep_json(void) {
  char *text;

  begin();
  text = nested(128, "", "");
  CHECK_OK(event_text(text));
  free(text);
  text = nested(129, "", "");
  CHECK_STATUS(SESSION_E_INVALID_JSON, event_text(text));
  CHECK_INT(128, session_last_error()->offset); /* the first bracket too many */
  free(text);
  text = nested(127, "{\"a\":", "}");
  CHECK_OK(metadata_text(text));
  CHECK_OK(created_metadata_text(text));
  free(text);
  text = nested(128, "{\"a\":", "}");
  CHECK_STATUS(SESSION_E_INVALID_JSON, metadata_text(text));
  CHECK_INT(5 + 127, session_last_error()->offset);
  CHECK_STATUS(SESSION_E_INVALID_JSON, created_metadata_text(text));
  CHECK_STATUS(SESSION_E_INVALID_JSON, filter_text(text));
  free(text);
  text = nested(1000000, "", ""); /* no stack is spent on it */
  CHECK_STATUS(SESSION_E_INVALID_JSON, event_text(text));
  CHECK_STATUS(SESSION_E_INVALID_JSON, ids_text(text));
  CHECK_STATUS(SESSION_E_INVALID_JSON, batch_text(text));
  free(text);
  end();
}

static void a_nul_inside(void) {
  begin();
  CHECK_STATUS(SESSION_E_INVALID_JSON, session_append_event(subject, "t", "{}\0", 3, 0, NULL));
  CHECK_INT(2, session_last_error()->offset);
  CHECK_STATUS(SESSION_E_INVALID_JSON, session_append_event(subject, "t", "\"\0\"", 3, 0, NULL));
  CHECK_INT(1, session_last_error()->offset);
  CHECK_STATUS(SESSION_E_INVALID_JSON, session_append_event(subject, "t", "{}", 0, 0, NULL));
  CHECK_STATUS(SESSION_E_INVALID_JSON, session_append_event(subject, "t", "{}", 1, 0, NULL));
  CHECK_INFO(subject, "\"last_seq\":0");
  end();
}

int main(void) {
  RUN(malformed_ids);
  RUN(malformed_ids_in_get_infos);
  RUN(text_that_is_not_utf8);
  RUN(json_that_is_not_utf8);
  RUN(malformed_json);
  RUN(deep_json);
  RUN(a_nul_inside);
  return check_done("badinput");
}
