/* Tells what happens in a store while it happens, in this program and in all others, and listens to
 * what is typed at the same time: one poll over the watch's socket and standard input. Each line
 * that is typed becomes the title of a session, so it comes back as a change.
 *
 *   cc watch.c $(pkg-config --cflags --libs sessions) -o watch && ./watch my-store
 *
 * Run it twice, or beside the quickstart, on one store. It ends with the input (Ctrl-D).
 */
#include <sessions.h>

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void check(session_status_t status, const char *doing)
{
  const session_error_t *error;

  if (status == SESSION_OK) return;
  error = session_last_error();
  fprintf(stderr, "%s: %s: %s\n", doing, session_status_name(status), error->message);
  exit(1);
}

/* Prints all that the watch has to give, a change a line; afterwards its socket is empty. */
static void tell(session_watch_t *watch)
{
  int has_more;

  do {
    char *page;
    check(session_watch_next(watch, 1, 0, &page, NULL), "reading changes"); /* never waits */
    if (strncmp(page, "{\"changes\":[]", 13) != 0) puts(page);
    /* Quotes inside of strings are escaped, so no text in the page looks like this. */
    has_more = strstr(page, "\"has_more\":true") != NULL;
    session_string_free(page);
  } while (has_more);
  fflush(stdout);
}

int main(int argc, char **argv)
{
  const char *path = argc > 1 ? argv[1] : "watch-store";
  session_store_options_t store_options = SESSION_INIT(session_store_options_t);
  session_watch_options_t options = SESSION_INIT(session_watch_options_t);
  session_store_t *store;
  session_t *session;
  session_watch_t *watch;
  struct pollfd ends[2];
  intptr_t fd;
  char line[1024];
  ssize_t length;

  store_options.client_type = "watch";
  check(session_store_open(path, &store_options, &store), "opening the store");
  check(session_create(store, NULL, NULL, &session), "creating a session");

  /* From now on; without `kinds` it tells everything. */
  options.kinds = "created,renamed,deleted,restored,event_appended,share,gap";
  check(session_watch_open(store, &options, &watch), "opening the watch");
  check(session_watch_get_fd(watch, 0, &fd), "asking for its socket"); /* the watch closes it */
  printf("watching %s\n", path);
  fflush(stdout);

  ends[0].fd = (int)fd;
  ends[1].fd = STDIN_FILENO;
  ends[0].events = ends[1].events = POLLIN;
  for (;;) {
    if (poll(ends, 2, -1) < 0) continue; /* a signal */
    if (ends[0].revents != 0) tell(watch);
    if (ends[1].revents != 0) {
      length = read(STDIN_FILENO, line, sizeof line - 1);
      if (length <= 0) break;
      line[length] = '\0';
      line[strcspn(line, "\n")] = '\0';
      check(session_update_title(session, line), "naming the session");
    }
  }

  session_watch_destroy(watch);
  session_destroy(session);
  check(session_store_close(store), "closing the store");
  return 0;
}
