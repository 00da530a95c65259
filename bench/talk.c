/* A conversation as agents have them, and the text that is made of it: prompts, thoughts, answers,
 * and tools whose output is most of the bytes. */
#include "bench.h"

#include <sessions.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

typedef struct talk {
  session_store_t *store;
  session_t *session;
  const char *folder;
  int32_t format;
  int turns; /* that were added */
} talk_t;

static void check(session_status_t status, const char *call)
{
  if (status == SESSION_OK) return;
  bench_die("ours: %s: %s: %s", call, session_status_name(status), session_last_error()->message);
}

static session_store_t *open_store(const char *folder)
{
  session_store_options_t options = SESSION_INIT(session_store_options_t);
  session_store_t *store;
  char *path = bench_path(folder, "store");
  options.durability = SESSION_DURABILITY_RELAXED;
  check(session_store_open(path, &options, &store), "open");
  free(path);
  return store;
}

/* One sentence of an agent, and one line that a tool prints, as they stand in JSON. */
static const char sentence[] =
  "The total is computed before the discount is applied, so the \\\"cart\\\" test sees 42.0. ";
static const char line[] = "\\tif (cart->total != expected) return fail(\\\"total\\\", %d);\\n";

static size_t repeat(char *out, const char *text, int times)
{
  size_t length = strlen(text);
  for (int i = 0; i < times; i++) memcpy(out + (size_t)i * length, text, length);
  return (size_t)times * length;
}

static void add(session_t *session, int turn, const char *type, const char *format,
                const char *text, int times, int number)
{
  session_append_options_t options = SESSION_INIT(session_append_options_t);
  char name[16], data[16384], body[12000];
  size_t length = repeat(body, text, times);
  int written;
  body[length] = '\0';
  snprintf(name, sizeof name, "t-%d", turn);
  options.turn_id = name;
  written = snprintf(data, sizeof data, format, number, body);
  check(session_append_event_ex(session, type, data, (size_t)written, &options, NULL), "append");
}

static void add_turn(session_t *session, int turn)
{
  add(session, turn, "user_prompt", "{\"prompt_id\":\"p%d\",\"text\":\"%s\"}", sentence, 2, turn);
  add(session, turn, "agent_thought", "{\"n\":%d,\"text\":\"%s\"}", sentence, 3, turn);
  for (int i = 0; i < 6; i++) {
    add(session, turn, "agent_message", "{\"n\":%d,\"text\":\"%s\"}", sentence, 1, i);
    add(session, turn, "tool_call",
        "{\"tool_call_id\":\"call_%d\",\"title\":\"Read src/cart.c\",\"kind\":\"read\",\"status\":"
        "\"pending\",\"raw_input\":{\"path\":\"src/cart.c\",\"note\":\"%s\"}}",
        sentence, 1, i);
    add(session, turn, "tool_call_update",
        "{\"tool_call_id\":\"call_%d\",\"status\":\"completed\",\"raw_output\":{\"text\":\"%s\"}}",
        line, 4 << i, i);
  }
  for (int i = 0; i < 20; i++)
    add(session, turn, "agent_message", "{\"n\":%d,\"text\":\"%s\"}", sentence, 1, i);
  add(session, turn, "usage", "{\"input_tokens\":%d,\"note\":\"%s\"}", "", 0, turn);
  add(session, turn, "turn_end", "{\"n\":%d,\"stop_reason\":\"end_turn%s\"}", "", 0, turn);
}

void bench_talk_fill(const char *folder, long turns)
{
  session_store_t *store = open_store(folder);
  session_t *session;
  check(session_create(store, NULL, NULL, &session), "create");
  for (int i = 0; i < turns; i++) add_turn(session, i);
  session_destroy(session);
  check(session_store_close(store), "close");
}

static void open_only(talk_t *self)
{
  session_list_options_t options = SESSION_INIT(session_list_options_t);
  char *list, *id;
  options.fields = "id";
  self->store = open_store(self->folder);
  check(session_list(self->store, &options, &list, NULL, NULL), "list");
  id = strstr(list, "\"id\":\"");
  if (id == NULL) bench_die("ours: no session");
  id += strlen("\"id\":\"");
  id[strcspn(id, "\"")] = '\0';
  check(session_open(self->store, id, &self->session), "open");
  session_string_free(list);
}

static void close_only(talk_t *self)
{
  session_destroy(self->session);
  check(session_store_close(self->store), "close");
}

static void *talk(const char *folder, int32_t format)
{
  talk_t *self = calloc(1, sizeof *self);
  if (self == NULL) bench_die("no memory");
  self->folder = folder;
  self->format = format;
  open_only(self);
  return self;
}

static void *as_messages(const char *folder, int thread)
{
  (void)thread;
  return talk(folder, SESSION_TRANSCRIPT_MESSAGES);
}

static void *as_ui_messages(const char *folder, int thread)
{
  (void)thread;
  return talk(folder, SESSION_TRANSCRIPT_UI_MESSAGES);
}

static void *as_markdown(const char *folder, int thread)
{
  (void)thread;
  return talk(folder, SESSION_TRANSCRIPT_MARKDOWN);
}

static void *as_html(const char *folder, int thread)
{
  (void)thread;
  return talk(folder, SESSION_TRANSCRIPT_HTML);
}

/* A store that was just opened has nothing ready. */
static void open_again(void *context)
{
  close_only(context);
  open_only(context);
}

static void add_one(void *context)
{
  talk_t *self = context;
  add(self->session, 0, "agent_message", "{\"n\":%d,\"text\":\"%s\"}", sentence, 1, self->turns++);
}

static void transcript(void *context)
{
  talk_t *self = context;
  char *text;
  size_t length;
  check(session_transcript(self->session, self->format, NULL, &text, &length), "transcript");
  if (length < 1000000) bench_die("ours: a short transcript");
  session_string_free(text);
}

static void finish(void *context)
{
  close_only(context);
  free(context);
}

const bench_work_t bench_talk[] = {
  { "talk.messages", as_messages, open_again, transcript, finish, 1 },
  { "talk.ui_messages", as_ui_messages, open_again, transcript, finish, 1 },
  { "talk.markdown", as_markdown, open_again, transcript, finish, 1 },
  { "talk.html", as_html, open_again, transcript, finish, 1 },
  { "talk.one_more", as_ui_messages, add_one, transcript, finish, 1 },
  { NULL, NULL, NULL, NULL, NULL, 0 },
};
