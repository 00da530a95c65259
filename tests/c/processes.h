/* A second process for the programs that need one: this program again, with a role, the store's
   folder and a session's id as arguments. It tells the first over a pipe how far it is. */
#ifndef PROCESSES_H
#define PROCESSES_H

#include "one_store.h"

#include <signal.h>
#include <sys/wait.h>

static const char *self;

/* ---- the second process --------------------------------------------------------------------- */

static session_t *second;

static inline int open_second(const char *path, const char *id) {
  return CHECK_OK(session_store_open(path, NULL, &store)) &&
         CHECK_OK(session_open(store, id, &second));
}

/* What the second process ends with. */
static inline int close_second(void) {
  CHECK_OK(session_destroy(second));
  CHECK_OK(session_store_close(store));
  return check_failed_ == 0 ? 0 : 1;
}

static inline void say(char letter) {
  CHECK(write(STDOUT_FILENO, &letter, 1) == 1);
}

/* ---- the first ------------------------------------------------------------------------------ */

typedef struct process {
  pid_t id;
  int pipe; /* what it says */
} process_t;

/* Before the first process_start. */
static inline void processes_begin(char **arguments) {
  static char path[4096];
  ssize_t length = readlink("/proc/self/exe", path, sizeof path - 1);
  path[length > 0 ? length : 0] = '\0';
  self = length > 0 ? path : arguments[0];
}

static inline process_t process_start(const char *role, const char *id) {
  process_t process = {-1, -1};
  int ends[2];
  if (!CHECK(pipe(ends) == 0)) return process;
  fflush(stdout);
  process.id = fork();
  if (process.id == 0) {
    dup2(ends[1], STDOUT_FILENO);
    close(ends[0]);
    close(ends[1]);
    execl(self, self, role, folder, id, (char *)NULL);
    _exit(127);
  }
  CHECK(process.id > 0);
  close(ends[1]);
  process.pipe = ends[0];
  return process;
}

static inline void process_await(const process_t *process, char expected) {
  char letter = 0;
  CHECK(read(process->pipe, &letter, 1) == 1 && letter == expected);
}

static inline void process_await_ready(const process_t *process) {
  process_await(process, 'r');
}

/* Its failures are text on its standard output, which is the pipe. */
static inline void process_end(const process_t *process) {
  char text[512];
  ssize_t length;
  int status = -1;
  while ((length = read(process->pipe, text, sizeof text)) > 0) {
    printf("%.*s", (int)length, text);
  }
  close(process->pipe);
  CHECK(waitpid(process->id, &status, 0) == process->id);
  CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static inline void process_kill(const process_t *process) {
  int status = 0;
  CHECK(kill(process->id, SIGKILL) == 0);
  CHECK(waitpid(process->id, &status, 0) == process->id);
  CHECK(WIFSIGNALED(status));
  close(process->pipe);
}

#endif
