/* Workers, their processes and threads, and the folders they work in. */
#include "bench.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { PROCESSES_MAX = 16, THREADS_MAX = 64 };
static const double warm_up_seconds = 0.2;

extern char **environ;

const char bench_event[] =
    "{\"text\":\"I moved the check before the loop, so an empty cart no longer reaches the "
    "discount code. Both tests that failed pass now; shall I look at the totals of the invoice "
    "too?\",\"model\":\"m-1\"}";

int64_t bench_now(void)
{
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

void bench_die(const char *format, ...)
{
  va_list arguments;
  va_start(arguments, format);
  fputs("bench: ", stderr);
  vfprintf(stderr, format, arguments);
  fputc('\n', stderr);
  va_end(arguments);
  exit(1);
}

char *bench_path(const char *folder, const char *name)
{
  size_t length = strlen(folder) + strlen(name) + 2;
  char *path = malloc(length);
  if (path == NULL) bench_die("no memory");
  snprintf(path, length, "%s/%s", folder, name);
  return path;
}

void bench_make_folder(const char *folder)
{
  if (mkdir(folder, 0700) != 0) bench_die("mkdir %s: %s", folder, strerror(errno));
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *place)
{
  (void)status, (void)kind, (void)place;
  return remove(path);
}

void bench_remove_folder(const char *folder)
{
  if (nftw(folder, remove_one, 32, FTW_DEPTH | FTW_PHYS) != 0 && errno != ENOENT)
    bench_die("removing %s: %s", folder, strerror(errno));
}

static int by_value(const void *left, const void *right)
{
  double a = *(const double *)left, b = *(const double *)right;
  return (a > b) - (a < b);
}

double bench_median(double *values, int count)
{
  qsort(values, (size_t)count, sizeof *values, by_value);
  return count % 2 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
}

/* ---- a worker ------------------------------------------------------------------------------- */

typedef struct worker_thread {
  pthread_t thread;
  pthread_barrier_t *start;
  const bench_work_t *work;
  void *context;
  atomic_long steps;
  atomic_bool *stop;
} worker_thread_t;

static const bench_work_t *find_work(const char *name)
{
  const bench_work_t *lists[] = { bench_ours, bench_sqlite, bench_plain, bench_talk,
                                  bench_together };
  for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
    for (const bench_work_t *work = lists[i]; work->name != NULL; work++)
      if (strcmp(work->name, name) == 0) return work;
  bench_die("no work %s", name);
}

/* One thread: repeats the step for that long, at least once, and counts only the timed part. */
static double rate_alone(const bench_work_t *work, void *context, double seconds)
{
  int64_t busy = 0, steps = 0, until = bench_now() + (int64_t)(seconds * 1e9), now;
  do {
    if (work->prepare != NULL) work->prepare(context);
    int64_t before = bench_now();
    work->step(context);
    now = bench_now();
    busy += now - before;
    steps++;
  } while (now < until);
  return (double)steps / ((double)busy / 1e9);
}

static void *run_thread(void *argument)
{
  worker_thread_t *self = argument;
  pthread_barrier_wait(self->start);
  while (!atomic_load_explicit(self->stop, memory_order_relaxed)) {
    self->work->step(self->context);
    atomic_fetch_add_explicit(&self->steps, 1, memory_order_relaxed);
  }
  return NULL;
}

static void sleep_for(double seconds)
{
  struct timespec time = { (time_t)seconds, (long)((seconds - (double)(time_t)seconds) * 1e9) };
  clock_nanosleep(CLOCK_MONOTONIC, 0, &time, NULL);
}

static long steps_of(worker_thread_t *all, int threads)
{
  long steps = 0;
  for (int i = 0; i < threads; i++) steps += atomic_load(&all[i].steps);
  return steps;
}

/* Many threads: what all of them finish within one window. A window of its own for each would
 * flatter a side whose threads starve each other. */
static double rate_together(worker_thread_t *all, int threads, double seconds)
{
  pthread_barrier_t start;
  atomic_bool stop = false;
  pthread_barrier_init(&start, NULL, (unsigned)threads + 1);
  for (int i = 0; i < threads; i++) {
    all[i].start = &start;
    all[i].stop = &stop;
    if (pthread_create(&all[i].thread, NULL, run_thread, &all[i]) != 0) bench_die("no thread");
  }
  pthread_barrier_wait(&start);
  sleep_for(warm_up_seconds);
  int64_t from = bench_now();
  long before = steps_of(all, threads);
  sleep_for(seconds);
  long steps = steps_of(all, threads) - before;
  int64_t elapsed = bench_now() - from;
  atomic_store(&stop, true);
  for (int i = 0; i < threads; i++) pthread_join(all[i].thread, NULL);
  return (double)steps / ((double)elapsed / 1e9);
}

void bench_worker(const char *name, const char *folder, int threads, double seconds)
{
  static worker_thread_t all[THREADS_MAX];
  const bench_work_t *work = find_work(name);
  double rate;

  if (threads > THREADS_MAX) bench_die("at most %d threads", THREADS_MAX);
  for (int i = 0; i < threads; i++) {
    all[i].work = work;
    all[i].context = work->setup(folder, i);
  }
  puts("ready");
  fflush(stdout);
  if (getchar() == EOF) exit(1);
  if (threads == 1) {
    rate_alone(work, all[0].context, warm_up_seconds);
    rate = rate_alone(work, all[0].context, seconds);
  } else {
    rate = rate_together(all, threads, seconds);
  }
  printf("%.9g\n", rate * work->repeat);
  fflush(stdout);
  for (int i = 0; i < threads; i++) work->finish(all[i].context);
}

/* ---- the driver's side of it ---------------------------------------------------------------- */

typedef struct process {
  pid_t pid;
  FILE *to, *from;
} process_t;

static void start_process(process_t *process, char *const arguments[])
{
  int to[2], from[2];
  posix_spawn_file_actions_t actions;
  if (pipe2(to, O_CLOEXEC) != 0 || pipe2(from, O_CLOEXEC) != 0) bench_die("pipe failed");
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, to[0], 0);
  posix_spawn_file_actions_adddup2(&actions, from[1], 1);
  int error = posix_spawn(&process->pid, "/proc/self/exe", &actions, NULL, arguments, environ);
  if (error != 0) bench_die("spawn: %s", strerror(error));
  posix_spawn_file_actions_destroy(&actions);
  close(to[0]);
  close(from[1]);
  process->to = fdopen(to[1], "w");
  process->from = fdopen(from[0], "r");
}

static void end_process(process_t *process, const char *name)
{
  int status;
  fclose(process->to);
  fclose(process->from);
  if (waitpid(process->pid, &status, 0) < 0 || !WIFEXITED(status) || WEXITSTATUS(status) != 0)
    bench_die("a worker for %s failed", name);
}

double bench_rate(const char *name, const char *folder, int processes, int threads,
                  double seconds)
{
  process_t all[PROCESSES_MAX];
  char threads_text[16], seconds_text[32], line[64];
  char *arguments[] = { "bench", "work", (char *)name, (char *)folder, threads_text,
                        seconds_text, NULL };
  double rate = 0;

  if (processes > PROCESSES_MAX) bench_die("at most %d processes", PROCESSES_MAX);
  snprintf(threads_text, sizeof threads_text, "%d", threads);
  snprintf(seconds_text, sizeof seconds_text, "%g", seconds);
  for (int i = 0; i < processes; i++) start_process(&all[i], arguments);
  for (int i = 0; i < processes; i++)
    if (fgets(line, sizeof line, all[i].from) == NULL) bench_die("%s did not start", name);
  for (int i = 0; i < processes; i++) {
    fputs("go\n", all[i].to);
    fflush(all[i].to);
  }
  for (int i = 0; i < processes; i++) {
    if (fgets(line, sizeof line, all[i].from) == NULL) bench_die("%s did not end", name);
    rate += strtod(line, NULL);
  }
  for (int i = 0; i < processes; i++) end_process(&all[i], name);
  return rate;
}

int bench_start_self(const char *command, const char *folder, long first)
{
  pid_t pid;
  char first_text[24];
  char *arguments[] = { "bench", (char *)command, (char *)folder, first_text, NULL };
  snprintf(first_text, sizeof first_text, "%ld", first);
  int error = posix_spawn(&pid, "/proc/self/exe", NULL, NULL, arguments, environ);
  if (error != 0) bench_die("spawn: %s", strerror(error));
  return pid;
}

void bench_kill(int process)
{
  if (kill(process, SIGKILL) != 0 || waitpid(process, NULL, 0) < 0)
    bench_die("killing %d: %s", process, strerror(errno));
}

void bench_run_self(const char *command, const char *folder, long first, long second)
{
  process_t process;
  char first_text[24], second_text[24];
  char *arguments[] = { "bench", (char *)command, (char *)folder, first_text, second_text, NULL };
  snprintf(first_text, sizeof first_text, "%ld", first);
  snprintf(second_text, sizeof second_text, "%ld", second);
  start_process(&process, arguments);
  end_process(&process, command);
}
