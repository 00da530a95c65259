/* sessions/events.h: files that are kept with a session. */
#include "one_store.h"

static session_status_t put(session_t *session, const char *name, const char *text,
                            char **out_json) {
  return session_put_file(session, name, text, strlen(text), out_json, NULL);
}

static void put_and_find(void) {
  static const unsigned char png[] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n', 0};
  session_t *session;
  char *json = NULL;
  char *path = NULL;
  char id[64];
  size_t length = 0;
  unsigned char found[sizeof png + 1];
  FILE *file;

  start();
  session = create(NULL, NULL);
  CHECK_OK(session_put_file(session, "cat.png", png, sizeof png, &json, &length));
  CHECK_INT(length, strlen(json));
  CHECK_HAS(json, "{\"file_id\":\"f_");
  CHECK_HAS(json, "\",\"name\":\"cat.png\",\"mime_type\":\"image/png\",\"bytes\":9,\"sha256\":\"");
  CHECK_HAS(json, "\",\"existing\":false}");
  snprintf(id, sizeof id, "%.34s", json + strlen("{\"file_id\":\""));
  session_string_free(json);
  CHECK_OK(session_get_file_path(session, id, &path));
  file = fopen(path, "rb");
  if (CHECK(file != NULL)) {
    CHECK_INT(sizeof png, fread(found, 1, sizeof found, file));
    CHECK(memcmp(found, png, sizeof png) == 0);
    fclose(file);
  }
  session_string_free(path);
  CHECK_OK(session_put_file(session, "other.png", png, sizeof png, &json, NULL));
  CHECK_HAS(json, id);
  CHECK_HAS(json, "\"existing\":true}");
  session_string_free(json);
  CHECK_OK(session_put_file(session, "empty", NULL, 0, &json, NULL));
  CHECK_HAS(json, "\"bytes\":0,");
  session_string_free(json);
  CHECK_OK(session_delete(session, SESSION_DELETE_CASCADE));
  CHECK_STATUS(SESSION_E_DELETED, put(session, "a", "x", &json));
  CHECK_STATUS(SESSION_E_DELETED, session_get_file_path(session, id, &path));
  CHECK(json == NULL && path == NULL);
  CHECK_OK(session_destroy(session));
  stop();
}

static void bad_input(void) {
  session_t *session;
  char *json = NULL;
  char *path = NULL;
  char *longest = text_of('n', 255);
  char *too_long = text_of('n', 256);

  start();
  session = create(NULL, NULL);
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, put(session, "", "x", &json));
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, put(session, "..", "x", &json));
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, put(session, "../../x", "x", &json));
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, put(session, "C:\\x", "x", &json));
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, put(session, "a\nb", "x", &json));
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, put(session, too_long, "x", &json));
  CHECK_STATUS(SESSION_E_INVALID_UTF8, put(session, "a\xFF", "x", &json));
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, put(session, "a.png", "no image", &json));
  CHECK_DETAILS("{\"argument\":\"name\",\"extension\":\"png\",\"expected\":\"image/png\","
                "\"actual\":\"text/plain\"}");
  CHECK(json == NULL);
  CHECK_OK(put(session, longest, "x", &json));
  session_string_free(json);
  CHECK_STATUS(SESSION_E_NOT_FOUND, session_get_file_path(session, "", &path));
  CHECK_STATUS(SESSION_E_NOT_FOUND, session_get_file_path(session, "f_0", &path));
  CHECK_STATUS(SESSION_E_NOT_FOUND, session_get_file_path(session, "../session.json", &path));
  CHECK_STATUS(SESSION_E_INVALID_UTF8, session_get_file_path(session, "f_\xFF", &path));
  CHECK(path == NULL);
  free(longest);
  free(too_long);
  CHECK_OK(session_destroy(session));
  stop();
}

static void limits(void) {
  session_t *session;
  char *json = NULL;
  const size_t size = 50 * 1024 * 1024 + 1;
  char *data = text_of('x', size);

  start();
  session = create(NULL, NULL);
  CHECK_STATUS(SESSION_E_LIMIT, session_put_file(session, "a", data, size, &json, NULL));
  CHECK_DETAILS("{\"limit\":\"file_bytes_max\",\"max\":52428800,\"actual\":52428801}");
  CHECK_OK(session_put_file(session, "a", data, size - 1, &json, NULL));
  CHECK_HAS(json, "\"bytes\":52428800,");
  session_string_free(json);
  CHECK_OK(session_store_configure(store, NULL, "{\"limits\":{\"file_bytes_max\":2}}"));
  CHECK_STATUS(SESSION_E_LIMIT, put(session, "a", "abc", &json));
  CHECK_OK(put(session, "a", "ab", &json));
  session_string_free(json);
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT,
               session_store_configure(store, NULL, "{\"limits\":{\"file_bytes_max\":0}}"));
  free(data);
  CHECK_OK(session_destroy(session));
  stop();
}

int main(void) {
  RUN(put_and_find);
  RUN(bad_input);
  RUN(limits);
  return check_done("files");
}
