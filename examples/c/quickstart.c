/* A first program: records a small conversation, branches it, shares it, lists everything, closes
 * the store, opens it again and shows that it is all there.
 *
 *   cc quickstart.c $(pkg-config --cflags --libs sessions) && ./a.out my-store
 */
#include <sessions.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Every call that can fail answers a status; the thread's last error has the whole story. A program
 * of some size would hand the status up; this one says what went wrong and ends. */
static void check(session_status_t status, const char *doing)
{
  const session_error_t *error;

  if (status == SESSION_OK) return;
  error = session_last_error();
  fprintf(stderr, "%s: %s: %s %s\n", doing, session_status_name(status), error->message,
          error->details_json);
  exit(1);
}

/* Appends one event. The data is any JSON; on return it is on stable storage. With the flag the data
 * of a known type must be what docs/EVENTS.md says, so that every other program understands it. */
static void say(session_t *session, const char *type, const char *data)
{
  check(session_append_event(session, type, data, strlen(data), SESSION_APPEND_CHECK, NULL),
        "recording an event");
}

/* Prints the elements of the first array in a JSON text, one a line. A program that does more with
 * them would bring a JSON library. */
static void print_elements(const char *json)
{
  int depth = 0, in_string = 0;
  const char *at;

  for (at = strchr(json, '['); at != NULL && *at != '\0'; at++) {
    if (in_string) {
      if (*at == '\\' && at[1] != '\0') putchar(*at++);
      else if (*at == '"') in_string = 0;
    } else if (*at == '"') {
      in_string = 1;
    } else if (*at == '[' || *at == '{') {
      if (++depth == 1) {
        printf("  ");
        continue;
      }
    } else if (*at == ']' || *at == '}') {
      if (--depth == 0) break;
    } else if (*at == ',' && depth == 1) {
      printf("\n  ");
      continue;
    }
    putchar(*at);
  }
  putchar('\n');
}

static void print_events(const char *heading, session_t *session)
{
  char *page;

  check(session_read_events(session, 0, 0, &page, NULL), "reading events");
  printf("%s\n", heading);
  print_elements(page);
  session_string_free(page); /* every string that comes out is freed like this */
}

static void print_list(const char *heading, session_store_t *store)
{
  session_list_options_t options = SESSION_INIT(session_list_options_t);
  char *list;

  options.order = SESSION_ORDER_CREATED_ASC;
  options.fields = "id,parent_id,title,message_count";
  check(session_list(store, &options, &list, NULL, NULL), "listing sessions");
  printf("%s\n", heading);
  print_elements(list);
  session_string_free(list);
}

int main(int argc, char **argv)
{
  const char *path = argc > 1 ? argv[1] : "quickstart-store";
  session_store_options_t store_options = SESSION_INIT(session_store_options_t);
  session_create_options_t branch_options = SESSION_INIT(session_create_options_t);
  session_store_t *store;
  session_t *session, *branch, *shared;
  char *id, *branch_id, *share, *info;

  /* A store is a folder. It is made when it is not there; any number of processes may use it at
   * the same time. Without options: store = NULL, and the platform's folder for data. */
  store_options.client_type = "quickstart";
  check(session_store_open(path, &store_options, &store), "opening the store");
  printf("libsessions %s, store in %s\n\n", session_version(), path);

  /* A session, and a small conversation in it. */
  check(session_create(store, NULL, NULL, &session), "creating a session");
  check(session_get_id(session, &id), "asking for its id");
  say(session, "user_prompt", "{\"text\":\"The cart is empty after a reload.\"}");
  say(session, "tool_call",
      "{\"tool_call_id\":\"call-1\",\"title\":\"grep loadCart\",\"kind\":\"search\","
      "\"status\":\"pending\",\"raw_input\":{\"pattern\":\"loadCart\"}}");
  say(session, "tool_call_update",
      "{\"tool_call_id\":\"call-1\",\"status\":\"completed\",\"raw_output\":\"cart.js:12\"}");
  say(session, "agent_message", "{\"text\":\"It is read before the login has finished.\"}");
  check(session_update_title(session, "Fix the cart"), "naming the session");
  print_events("The conversation:", session);

  /* A branch: a session that sees the first event of this one, and then follows another idea. */
  branch_options.title = "Fix the cart, another way";
  branch_options.metadata_json = "{\"com.example.quickstart\":{\"colour\":\"green\"}}";
  check(session_fork(session, 1, &branch_options, &branch), "branching");
  check(session_get_id(branch, &branch_id), "asking for the branch's id");
  say(branch, "user_prompt", "{\"text\":\"What if the cart were kept on the server?\"}");
  print_events("\nThe branch:", branch);

  /* A share: a link to the conversation as it is now. Who has the secret reads it, and nobody can
   * write through it. No other call hands the secret out again. */
  check(session_create_share(session, NULL, &share, NULL), "sharing");
  printf("\nThe share: %s\n", share);
  session_string_free(share);

  print_list("\nAll sessions:", store);

  /* Handles are let go of; the sessions stay. Closing answers how the last write went. */
  session_destroy(branch);
  session_destroy(session);
  check(session_store_close(store), "closing the store");
  printf("\nClosed, and opened again.\n");

  check(session_store_open(path, &store_options, &store), "opening the store again");
  print_list("\nAll sessions:", store);
  check(session_open(store, id, &session), "opening the session");
  check(session_get_info(session, &info, NULL), "reading its info");
  printf("\nThe session: %s\n", info);
  session_string_free(info);
  print_events("\nIts conversation:", session);
  check(session_open(store, branch_id, &branch), "opening the branch");
  print_events("\nThe branch:", branch);

  /* What does not exist is a status like any other, not a crash. */
  if (session_resolve_share(store, "no such secret", &shared) == SESSION_E_NOT_FOUND)
    printf("\nA wrong share link: %s\n", session_last_error()->message);

  session_string_free(id);
  session_string_free(branch_id);
  session_destroy(branch);
  session_destroy(session);
  check(session_store_close(store), "closing the store again");
  return 0;
}
