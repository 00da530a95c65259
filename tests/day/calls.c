/* What hosts and commands have in common. */
#include "day.h"

void say(const char *format, ...)
{
  char line[LINE_MAX_BYTES];
  va_list arguments;
  int length;
  va_start(arguments, format);
  length = vsnprintf(line, sizeof line - 1, format, arguments);
  va_end(arguments);
  line[length] = '\n';
  if (write(STDOUT_FILENO, line, (size_t)length + 1) != length + 1) _exit(3); /* nobody reads */
}

void must(session_status_t status, const char *call)
{
  if (status == SESSION_OK) return;
  say("! %s: %s: %s", call, session_status_name(status), session_last_error()->message);
  exit(1);
}

session_store_t *open_day(const char *folder)
{
  session_store_options_t options = SESSION_INIT(session_store_options_t);
  session_store_t *store = NULL;
  options.busy_timeout_ms = 60000;
  must(session_store_open(folder, &options, &store), "open");
  return store;
}

char *text_of(const char *json, const char *key, char *buffer, size_t size)
{
  char needle[64];
  const char *at;
  size_t length = 0;
  snprintf(needle, sizeof needle, "\"%s\":\"", key);
  at = json == NULL ? NULL : strstr(json, needle);
  if (at != NULL) {
    at += strlen(needle);
    while (at[length] != '"' && at[length] != '\0' && length + 1 < size) length++;
    memcpy(buffer, at, length);
  }
  buffer[length] = '\0';
  return buffer;
}

uint64_t append_marker(session_t *session, uint64_t marker, uint32_t flags)
{
  char data[64];
  uint64_t seq = 0;
  int length = snprintf(data, sizeof data, "{\"text\":\"m%" PRIu64 "\"}", marker);
  must(session_append_event(session, "agent_message", data, (size_t)length, flags, &seq), "append");
  return seq;
}

uint64_t stream_marker(session_t *session, uint64_t marker)
{
  session_stream_t *stream = NULL;
  char text[64];
  uint64_t seq = 0;
  int i, length = snprintf(text, sizeof text, "m%" PRIu64 " ", marker);
  must(session_stream_begin(session, "agent_message", NULL, &stream), "stream_begin");
  must(session_stream_write(stream, text, (size_t)length), "stream_write");
  for (i = 0; i < 4; i++) must(session_stream_write(stream, "and more ", 9), "stream_write");
  must(session_stream_end(stream, NULL, &seq), "stream_end");
  must(session_stream_destroy(stream), "stream_destroy");
  return seq;
}

void add_to_queue(session_t *session, const char *id, uint64_t marker)
{
  char entry[64], name[ID_MAX], *json = NULL;
  int length = snprintf(entry, sizeof entry, "{\"message\":\"m%" PRIu64 "\"}", marker);
  session_status_t status = session_queue_add(session, entry, (size_t)length, &json, NULL);
  /* Ten at most, and what a killed command had claimed stays among them. */
  if (status == SESSION_E_QUEUE_FULL) return;
  must(status, "queue_add");
  say("Q %s %s %" PRIu64, id, text_of(json, "id", name, sizeof name), marker);
  session_string_free(json);
}

void deliver(session_t *session, const char *id)
{
  char name[ID_MAX], *json = NULL;
  uint64_t seq = 0;
  session_status_t status = session_queue_claim(session, NULL, &json, NULL);
  if (status == SESSION_E_NOT_FOUND) return;
  must(status, "queue_claim");
  text_of(json, "id", name, sizeof name);
  session_string_free(json);
  must(session_queue_settle(session, name, SESSION_QUEUE_SENT, NULL, &seq), "queue_settle");
  say("D %s %s %" PRIu64, id, name, seq);
}
