/* What a program that uses an installed library does first: opens a store, makes a session in it,
 * and finds it again. Prints the library's version. */
#include <sessions.h>

#include <stdio.h>
#include <string.h>

static int check(session_status_t status, const char *call)
{
  if (status == SESSION_OK) return 1;
  fprintf(stderr, "%s: %s: %s\n", call, session_status_name(status),
          session_last_error()->message);
  return 0;
}

int main(int argc, char **argv)
{
  session_store_t *store = NULL;
  session_t *session = NULL;
  char *id = NULL, *list = NULL;
  int found = 0;

  if (argc != 2) return 2;
  if (check(session_store_open(argv[1], NULL, &store), "open") &&
      check(session_create(store, NULL, NULL, &session), "create") &&
      check(session_get_id(session, &id), "get_id") &&
      check(session_list(store, NULL, &list, NULL, NULL), "list")) {
    found = strstr(list, id) != NULL;
    printf("%s\n", session_version());
  }
  session_string_free(list);
  session_string_free(id);
  session_destroy(session);
  return store != NULL && check(session_store_close(store), "close") && found ? 0 : 1;
}
