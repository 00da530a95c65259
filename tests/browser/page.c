/* Writes the pages that run.sh opens in a browser:  page FOLDER  makes FOLDER/talk.html, a
 * conversation as people have them, and FOLDER/hostile.html, whose every text wants to be more. */
#include <sessions.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static session_store_t *store;

static void check(session_status_t status, const char *what)
{
  if (status == SESSION_OK) return;
  fprintf(stderr, "%s: %s: %s\n", what, session_status_name(status),
          session_last_error()->message);
  exit(1);
}

static session_t *create(const char *title)
{
  session_create_options_t options = SESSION_INIT(session_create_options_t);
  session_t *session;
  options.title = title;
  check(session_create(store, NULL, &options, &session), "create");
  return session;
}

static void add(session_t *session, const char *turn, const char *type, const char *data)
{
  session_append_options_t options = SESSION_INIT(session_append_options_t);
  options.turn_id = turn;
  options.timestamp = 1795158388123;
  options.flags = SESSION_APPEND_RELAXED;
  check(session_append_event_ex(session, type, data, strlen(data), &options, NULL), type);
}

static void write_page(session_t *session, const char *folder, const char *name)
{
  char path[4096];
  char *page;
  size_t length;
  FILE *file;
  check(session_transcript(session, SESSION_TRANSCRIPT_HTML, NULL, &page, &length), "transcript");
  snprintf(path, sizeof path, "%s/%s", folder, name);
  file = fopen(path, "w");
  if (file == NULL || fwrite(page, 1, length, file) != length || fclose(file) != 0) exit(1);
  session_string_free(page);
  session_destroy(session);
}

static void talk(const char *folder)
{
  session_t *s = create("Fix the cart's total");
  char output[20000] =
    "{\"tool_call_id\":\"c2\",\"status\":\"completed\",\"raw_output\":\"";
  add(s, "t1", "user_prompt",
      "{\"text\":\"The total in the cart is wrong when a discount is applied. Can you find out why "
      "and fix it?\\n\\nThe test is in tests/cart_test.c.\"}");
  add(s, "t1", "agent_thought",
      "{\"text\":\"The discount may be applied before the sum is rounded.\\nLet me look.\"}");
  add(s, "t1", "plan",
      "{\"entries\":[{\"content\":\"Read the cart's code\",\"status\":\"completed\"},{\"content\":"
      "\"Run the test\",\"status\":\"in_progress\"},{\"content\":\"Mend the rounding\",\"status\":"
      "\"pending\"}]}");
  add(s, "t1", "agent_message", "{\"text\":\"I will read the **cart** first, then run `make test`.\"}");
  add(s, "t1", "tool_call",
      "{\"tool_call_id\":\"c1\",\"title\":\"Read src/cart.c\",\"kind\":\"read\",\"status\":"
      "\"completed\",\"raw_input\":{\"path\":\"src/cart.c\"},\"raw_output\":\"int total(void);\\n\"}");
  add(s, "t1", "tool_call",
      "{\"tool_call_id\":\"c2\",\"title\":\"Run a command whose name is so long that it has to be "
      "broken into lines on any phone, since/it/has/a/path/without/a/single/space/in/it/anywhere\","
      "\"kind\":\"execute\",\"raw_input\":{\"command\":\"make test\"}}");
  for (int i = 0; i < 150; i++)
    snprintf(output + strlen(output), sizeof output - strlen(output),
             "[%3d] cart_test: a line of output that is rather longer than a phone is wide: ok\\n", i);
  strcat(output, "\"}");
  add(s, "t1", "tool_call_update", output);
  add(s, "t1", "tool_call",
      "{\"tool_call_id\":\"c3\",\"title\":\"Edit src/cart.c\",\"kind\":\"edit\",\"status\":\"failed\","
      "\"raw_input\":{\"path\":\"src/cart.c\",\"lines\":[1,2]},\"raw_output\":\"no such line\"}");
  add(s, "t1", "permission",
      "{\"request_id\":\"r1\",\"options\":[{\"option_id\":\"a\",\"name\":\"Allow once\"}],"
      "\"outcome\":{\"outcome\":\"selected\",\"option_id\":\"a\"}}");
  add(s, "t1", "agent_message",
      "{\"text\":\"### What was wrong\\nThe sum was rounded *after* the discount:\\n\\n```c\\nlong "
      "total = 0;\\nfor (int i = 0; i < cart->count; i++) total += cart->items[i].price * "
      "cart->items[i].amount; /* in cents */\\n```\\n\\nI moved the rounding up. The test passes "
      "now. averyverylongwordwithoutanyspaceinitthatnobodywouldeverwritebutsomebodydoesanyway0123456789\"}");
  add(s, "t1", "turn_end", "{\"stop_reason\":\"end_turn\"}");
  add(s, "t2", "user_prompt", "{\"text\":\"\\u0634\\u0643\\u0631\\u0627! \\ud83d\\ude4f\"}");
  add(s, "t2", "error", "{\"message\":\"The connection to the model was lost.\"}");
  add(s, "t2", "turn_end", "{\"stop_reason\":\"cancelled\"}");
  write_page(s, folder, "talk.html");
}

/* Whatever runs marks the page; whatever loads asks for a host that there is not. */
static const char *const hostile[] = {
  "<script>document.documentElement.setAttribute('data-owned','1')</script>",
  "</script><script>document.documentElement.setAttribute('data-owned','2')</script>",
  "</style></title></textarea></pre><img src=x onerror=\\\"document.documentElement.setAttribute("
  "'data-owned','3')\\\">",
  "\\\"><img src='http://canary.invalid/4' onload=alert(4)>",
  "' onmouseover='alert(5)' autofocus onfocus='document.documentElement.setAttribute(&quot;data-"
  "owned&quot;,5)' x='",
  "<link rel=stylesheet href=http://canary.invalid/6><meta http-equiv=refresh content='0;url="
  "http://canary.invalid/6'>",
  "<iframe src=http://canary.invalid/7></iframe><base href=http://canary.invalid/>",
  "javascript:document.documentElement.setAttribute('data-owned','8')",
  "<!--\\u2028\\u2029\\u0000\\u001b[31m-->",
  "```\\n</code></pre><svg onload=document.documentElement.setAttribute('data-owned','10')>\\n```",
};

static void attack(const char *folder)
{
  static const char *const types[] = { "user_prompt", "agent_message", "agent_thought", "tool_call",
                                       "permission", "plan", "error", "note", "custom:x",
                                       "turn_end" };
  session_t *s = create("</title><script>document.documentElement.setAttribute('data-owned','0')"
                        "</script>");
  for (size_t type = 0; type < sizeof types / sizeof *types; type++) {
    for (size_t i = 0; i < sizeof hostile / sizeof *hostile; i++) {
      char data[8192], turn[32];
      const char *h = hostile[i];
      snprintf(data, sizeof data,
               "{\"text\":\"%s\",\"message\":\"%s\",\"tool_call_id\":\"%s\",\"title\":\"%s\","
               "\"status\":\"%s\",\"stop_reason\":\"%s\",\"%s\":\"%s\",\"raw_output\":{\"%s\":\"%s\"},"
               "\"entries\":[{\"content\":\"%s\"}],\"images\":[{\"url\":\"%s\",\"name\":\"%s\"},{\"url\":"
               "\"http://canary.invalid/%s\"}]}",
               h, h, h, h, h, h, h, h, h, h, h, h, h, h);
      snprintf(turn, sizeof turn, "t-%d-%d", (int)type, (int)i);
      add(s, turn, types[type], data);
    }
  }
  write_page(s, folder, "hostile.html");
}

int main(int argc, char **argv)
{
  char path[4096];
  if (argc != 2) return 2;
  snprintf(path, sizeof path, "%s/store", argv[1]);
  check(session_store_open(path, NULL, &store), "open");
  talk(argv[1]);
  attack(argv[1]);
  check(session_store_close(store), "close");
  return 0;
}
