/* The side of a program that keeps plain files and does it right: an event is a synced line, a
 * changed session.json is written to a new file, synced, renamed over the old one, and its folder
 * synced. Reading is reading files. */
#include "bench.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { READ_BYTES = 1 << 16, TAIL = 50 };

typedef struct plain {
  char *folder, *info, *scratch, *events;
  int folder_fd, events_fd;
  unsigned long turn, seq;
  long found;
} plain_t;

static void must(int worked, const char *what)
{
  if (!worked) bench_die("plain: %s: %s", what, strerror(errno));
}

static void write_info(plain_t *self)
{
  char json[1024];
  int length = snprintf(json, sizeof json,
      "{\n  \"id\": \"session_1795158388123\",\n  \"parent_id\": null,\n  \"fork_seq\": null,\n"
      "  \"title\": \"Fix the cart, take %lu\",\n  \"title_source\": \"user\",\n"
      "  \"created_at\": 1795158388123,\n  \"updated_at\": 1795158399456,\n"
      "  \"last_event_at\": 1795158399456,\n  \"message_count\": %lu,\n"
      "  \"event_count\": %lu,\n  \"last_seq\": %lu,\n  \"revision\": %lu,\n"
      "  \"state\": \"created\",\n  \"archived\": false,\n  \"is_aborted\": false,\n"
      "  \"abort_reason\": null,\n  \"abort_count\": 0,\n  \"share_info\": null,\n"
      "  \"metadata\": {},\n  \"facts\": {}\n}\n",
      self->turn, self->seq, self->seq, self->seq, self->turn);
  int fd = open(self->scratch, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  must(fd >= 0, "open");
  must(write(fd, json, (size_t)length) == length, "write");
  must(fsync(fd) == 0, "fsync");
  close(fd);
  must(rename(self->scratch, self->info) == 0, "rename");
  must(fsync(self->folder_fd) == 0, "fsync of the folder");
}

static void *own_session(const char *folder, int thread)
{
  plain_t *self = calloc(1, sizeof *self);
  char name[32];
  snprintf(name, sizeof name, "session_%d_%d", (int)getpid(), thread);
  self->folder = bench_path(folder, name);
  bench_make_folder(self->folder);
  self->info = bench_path(self->folder, "session.json");
  self->scratch = bench_path(self->folder, "session.json.new");
  self->events = bench_path(self->folder, "events.jsonl");
  self->folder_fd = open(self->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  self->events_fd = open(self->events, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  must(self->folder_fd >= 0 && self->events_fd >= 0, "open");
  write_info(self);
  return self;
}

static void append(void *context)
{
  plain_t *self = context;
  char line[1024];
  int length = snprintf(line, sizeof line, "{\"seq\":%lu,\"type\":\"agent_message\","
                        "\"timestamp\":1795158399456,\"data\":%s}\n", ++self->seq, bench_event);
  must(write(self->events_fd, line, (size_t)length) == length, "write");
  must(fdatasync(self->events_fd) == 0, "fdatasync");
  write_info(self);
}

static void rename_one(void *context)
{
  plain_t *self = context;
  self->turn++;
  write_info(self);
}

static void finish(void *context)
{
  plain_t *self = context;
  close(self->folder_fd);
  close(self->events_fd);
  free(self->folder), free(self->info), free(self->scratch), free(self->events);
  free(self);
}

/* ---- reading what another side has written -------------------------------------------------- */

/* Calls for each file of that name below the folder, in the order the folders give. */
static void walk(plain_t *self, int fd, const char *name,
                 void (*found)(plain_t *, int folder, const char *))
{
  DIR *folder = fdopendir(fd);
  struct dirent *entry;
  must(folder != NULL, "opendir");
  while ((entry = readdir(folder)) != NULL) {
    if (entry->d_name[0] == '.') continue;
    if (entry->d_type == DT_DIR) {
      int below = openat(dirfd(folder), entry->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
      must(below >= 0, entry->d_name);
      walk(self, below, name, found);
    } else if (strcmp(entry->d_name, name) == 0) {
      found(self, dirfd(folder), name);
    }
  }
  closedir(folder);
}

static void walk_all(plain_t *self, const char *name,
                     void (*found)(plain_t *, int folder, const char *))
{
  int fd = open(self->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  must(fd >= 0, self->folder);
  self->found = 0;
  walk(self, fd, name, found);
  if (self->found == 0) bench_die("plain: no %s in %s", name, self->folder);
}

static void *reader(const char *folder, int thread)
{
  plain_t *self = calloc(1, sizeof *self);
  (void)thread;
  self->folder = bench_path(folder, "store/sessions");
  return self;
}

static void read_whole(plain_t *self, int folder, const char *name)
{
  static char buffer[READ_BYTES];
  int fd = openat(folder, name, O_RDONLY | O_CLOEXEC);
  must(fd >= 0, name);
  must(read(fd, buffer, sizeof buffer) > 0, name);
  close(fd);
  self->found++;
}

static void read_all(void *context) { walk_all(context, "session.json", read_whole); }

/* The longest log is the one that is asked for. */
static void remember_longest(plain_t *self, int folder, const char *name)
{
  struct stat status;
  int fd = openat(folder, name, O_RDONLY | O_CLOEXEC);
  must(fd >= 0 && fstat(fd, &status) == 0, name);
  if (status.st_size <= self->found) {
    close(fd);
    return;
  }
  if (self->found != 0) close(self->events_fd);
  self->events_fd = fd;
  self->found = status.st_size;
}

static void *tail_reader(const char *folder, int thread)
{
  plain_t *self = reader(folder, thread);
  walk_all(self, "events.jsonl", remember_longest);
  return self;
}

/* The file from its start, noting where the last lines begin. */
static void read_tail(void *context)
{
  static char buffer[READ_BYTES], tail[TAIL * 4096];
  plain_t *self = context;
  off_t starts[TAIL + 1] = { 0 }, offset = 0;
  unsigned long lines = 0;
  ssize_t got;
  while ((got = pread(self->events_fd, buffer, sizeof buffer, offset)) > 0) {
    for (char *at = buffer; (at = memchr(at, '\n', (size_t)(buffer + got - at))) != NULL; at++)
      starts[++lines % (TAIL + 1)] = offset + (at - buffer) + 1;
    offset += got;
  }
  must(got == 0 && lines > TAIL, "read");
  must(pread(self->events_fd, tail, sizeof tail, starts[(lines - TAIL) % (TAIL + 1)]) > 0, "read");
}

static void end_reader(void *context)
{
  plain_t *self = context;
  free(self->folder);
  free(self);
}

/* ---- calling -------------------------------------------------------------------------------- */

static uint32_t nothing(void) { return 1; }
static uint32_t (*volatile through)(void) = nothing;

static void *no_setup(const char *folder, int thread)
{
  (void)folder, (void)thread;
  return NULL;
}

static void call_nothing(void *context)
{
  (void)context;
  for (int i = 0; i < 10000; i++) through();
}

static void no_finish(void *context) { (void)context; }

const bench_work_t bench_plain[] = {
  { "plain.append", own_session, NULL, append, finish, 1 },
  { "plain.rename", own_session, NULL, rename_one, finish, 1 },
  { "plain.open", reader, NULL, read_all, end_reader, 1 },
  { "plain.tail", tail_reader, NULL, read_tail, end_reader, 1 },
  { "plain.call", no_setup, NULL, call_nothing, no_finish, 10000 },
  { NULL, NULL, NULL, NULL, NULL, 0 },
};
