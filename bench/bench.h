/* What the measuring programs share. A work is one operation of one side, repeated by one thread;
 * the driver runs each work in fresh processes and never opens a store itself. */
#ifndef BENCH_H
#define BENCH_H

#include <stddef.h>
#include <stdint.h>

typedef struct bench_work {
  const char *name;                                /* "side.work" */
  void *(*setup)(const char *folder, int thread);  /* a context per thread; called one by one */
  void (*prepare)(void *context);                  /* before each step, not timed; NULL: nothing */
  void (*step)(void *context);                     /* what is timed */
  void (*finish)(void *context);
  int repeat;                                      /* operations a step does */
} bench_work_t;

extern const bench_work_t bench_ours[];   /* each list ends with a NULL name */
extern const bench_work_t bench_sqlite[];
extern const bench_work_t bench_plain[];
extern const bench_work_t bench_together[]; /* locks, ours and the system's */
extern const bench_work_t bench_talk[];   /* ours too: conversations and their transcripts */

/* Fill a folder with that many sessions, or one session with that many events. */
void bench_ours_fill(const char *folder, long sessions, long events);
void bench_talk_fill(const char *folder, long turns);
void bench_ours_fill_large(const char *folder, long mebibytes);
void bench_ours_read_cursor(const char *folder);
void bench_hear(const char *folder, long count);
void bench_say(const char *folder, long count);
void bench_follow(const char *folder, long count);
void bench_hammer(const char *folder, long threads);
void bench_longest(const char *folder, long milliseconds);
void bench_sqlite_create(const char *folder);
void bench_sqlite_fill(const char *folder, long sessions);

/* The event every append writes: 200 bytes of JSON, as a sentence of an agent is. */
extern const char bench_event[];

int64_t bench_now(void);                  /* monotonic nanoseconds */
void bench_die(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));
char *bench_path(const char *folder, const char *name);  /* folder/name; the caller frees it */

/* Runs a work as a worker process: says "ready", waits for a line, measures, prints the rate. */
void bench_worker(const char *name, const char *folder, int threads, double seconds);

/* Asks worker processes for the operations a second of all of them together. */
double bench_rate(const char *name, const char *folder, int processes, int threads,
                  double seconds);

/* A process of this program that is not waited for, and its end, however it is. */
int bench_start_self(const char *command, const char *folder, long first);
void bench_kill(int process);

/* A store that is filled when it is first asked for under that root: empty, small, small-sqlite, large,
 * log, talk. */
enum { BENCH_SMALL = 10000, BENCH_LARGE = 100000, BENCH_LOG = 100000, BENCH_TURNS = 430 };
const char *bench_filled(const char *root, const char *name);

/* bench_rate once; in a new folder below the root where none is given. */
double bench_once(const char *root, const char *work, const char *folder, int processes, int threads,
                  double seconds);

/* Measures our rows with two libraries in turn; the exit code of the program. */
int bench_pairs(const char *root, const char *old_library, const char *new_library,
                const char *footprint, char **wanted);

void bench_run_self(const char *command, const char *folder, long first, long second);
void bench_make_folder(const char *folder);
void bench_remove_folder(const char *folder);
double bench_median(double *values, int count);

#endif
