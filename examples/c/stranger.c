/* Looks at a store that came from somebody else, in an archive, a repository or a synced folder:
 * prints what is wrong with it, one issue a line, and then its sessions. Nothing in it is changed.
 *
 *   cc stranger.c $(pkg-config --cflags --libs sessions) -o stranger && ./stranger their-store
 *
 * Ends with 0: the store is sound, 1: it is not, 2: it could not be opened.
 */
#include <sessions.h>

#include <stdio.h>
#include <string.h>

/* A title is a stranger's text: what could move the cursor or turn a line round must not reach the
 * terminal. A program that knows its terminal may let more than ASCII pass. */
static void print(char byte)
{
  putchar(byte >= ' ' && byte <= '~' ? byte : '?');
}

/* Prints the objects of the array that begins at `at`, one a line. */
static void print_objects(const char *at)
{
  int depth = 0, in_string = 0;

  for (; *at != '\0'; at++) {
    if (!in_string && (*at == '[' || *at == '{')) depth++;
    if (depth > 1) print(*at);
    if (in_string && *at == '\\') print(*++at);
    else if (*at == '"') in_string = !in_string;
    else if (!in_string && (*at == ']' || *at == '}') && --depth == 1) putchar('\n');
    if (depth == 0) return;
  }
}

/* Says why a call failed; the message names the file at fault, and what to do about it. */
static void explain(const char *doing)
{
  const session_error_t *error = session_last_error();
  const char *at;

  printf("%s: %s: ", doing, session_status_name(error->status));
  for (at = error->message; *at != '\0'; at++) print(*at);
  putchar('\n');
}

int main(int argc, char **argv)
{
  session_store_options_t options = SESSION_INIT(session_store_options_t);
  session_list_options_t list = SESSION_INIT(session_list_options_t);
  session_store_t *store;
  char *report, *sessions;
  int sound = 0;

  if (argc != 2) {
    fprintf(stderr, "usage: %s FOLDER\n", argv[0]);
    return 2;
  }

  /* Read-only: nothing is made, mended or moved. Without SESSION_STORE_SHARED_OWNERS a folder that
   * others may write to is refused; make it yours with chown and chmod -R go-w first. */
  options.flags = SESSION_STORE_READ_ONLY | SESSION_STORE_MUST_EXIST;
  if (session_store_open(argv[1], &options, &store) != SESSION_OK) {
    explain("cannot open it");
    return 2;
  }

  /* SESSION_OK says that all was looked at; the report says what was found. Quotes in strings are
   * escaped, so no text in the report looks like one of its keys. */
  if (session_store_verify(store, &report, NULL) == SESSION_OK) {
    sound = strstr(report, "\"ok\":true") != NULL;
    print_objects(strstr(report, "[")); /* the one array in it: the issues */
    session_string_free(report);
  } else {
    explain("cannot check all of it");
  }

  /* What is whole can be read, whatever else is damaged. */
  list.archived = SESSION_ARCHIVED_INCLUDE;
  list.fields = "id,title,last_seq";
  if (session_list(store, &list, &sessions, NULL, NULL) == SESSION_OK) {
    print_objects(sessions);
    session_string_free(sessions);
  } else {
    explain("cannot list its sessions");
    sound = 0;
  }
  session_store_close(store);
  return sound ? 0 : 1;
}
