/* Plays the day (day.h): starts the hosts, runs the commands, kills some, takes in what they say, and measures the
   hosts in each fifth. At the end the store is held against the ledger.

     day FOLDER SECONDS [soak]     the last line is "day: N passed, M failed"

   What depends on time (growth, speed, wake-ups) is printed always and counts only in a soak. */
#include "day.h"

#include <poll.h>
#include <signal.h>
#include <sys/wait.h>

enum { RUNNING_MAX = 2, POOL = 100, CALLS_MAX = 16, KILLED_OF = 12, PURGED_OF = 100 };

/* Seconds from one round of a host to the next. */
static const double REST = 0.2;

typedef struct program {
  pid_t id;             /* 0: none */
  int in, out;
  char line[LINE_MAX_BYTES];
  size_t length;
  char kind[16], target[ID_MAX];
  uint64_t marker;
  double killed_at;     /* 0: never */
  int is_ready;         /* a host that waits to be told */
  double rests_until;
} program_t;

typedef struct fifth {
  double time, memory[HOSTS], sleeps[HOSTS], calls[CALLS_MAX];
  long descriptors[HOSTS], small_bytes;
  int calls_counted[CALLS_MAX];
} fifth_t;

static const char *folder, *self;
static program_t hosts[HOSTS], running[RUNNING_MAX];
static fifth_t fifths[FIFTHS];
static char call_names[CALLS_MAX][16];
static fifth_t *now_in;
static uint64_t markers;
static long commands, kills;
static int passed, failed, is_soak, is_morning;

static void check(int ok, const char *what)
{
  if (ok) passed++; else failed++;
  if (!ok) printf("FAILED %s\n", what);
}

/* ---- programs --------------------------------------------------------------------------------------------------- */

static void start(program_t *program, const char *kind, const char *target, uint64_t marker)
{
  int in[2], out[2];
  char number[32];
  memset(program, 0, sizeof *program);
  snprintf(program->kind, sizeof program->kind, "%s", kind);
  snprintf(program->target, sizeof program->target, "%s", target);
  program->marker = marker;
  snprintf(number, sizeof number, "%" PRIu64, marker);
  if (pipe2(in, O_CLOEXEC) != 0 || pipe2(out, O_CLOEXEC) != 0) abort();
  fflush(stdout);
  program->id = fork();
  if (program->id == 0) {
    dup2(in[0], STDIN_FILENO);
    dup2(out[1], STDOUT_FILENO);
    if (strcmp(kind, "host") == 0) execl(self, self, kind, folder, number, (char *)NULL);
    else execl(self, self, kind, folder, target, number, (char *)NULL);
    _exit(127);
  }
  close(in[0]);
  close(out[1]);
  program->in = in[1];
  program->out = out[0];
}

static void take_call(const char *line)
{
  char name[16];
  double ns;
  int i;
  if (sscanf(line, "L %15s %lf", name, &ns) != 2) return;
  for (i = 0; i < CALLS_MAX - 1 && call_names[i][0] != '\0' && strcmp(call_names[i], name) != 0; i++) continue;
  snprintf(call_names[i], sizeof call_names[i], "%s", name);
  now_in->calls[i] += ns / HOSTS;
}

static void take_line(program_t *program, const char *line)
{
  if (line[0] == '.') program->is_ready = 1;
  else if (line[0] == 'L') take_call(line);
  else if (line[0] == '!') {
    failed++;
    printf("FAILED %s %s: %s\n", program->kind, program->target, line);
  } else ledger_take(line);
}

/* False at its end. */
static int hear(program_t *program)
{
  char text[4096];
  ssize_t i, length = read(program->out, text, sizeof text);
  for (i = 0; i < length; i++) {
    if (text[i] != '\n') {
      if (program->length + 1 < sizeof program->line) program->line[program->length++] = text[i];
      continue;
    }
    program->line[program->length] = '\0';
    program->length = 0;
    take_line(program, program->line);
  }
  return length > 0;
}

/* Its output has ended. */
static void end(program_t *program)
{
  int status = 0;
  day_session_t *session = ledger_find(program->target);
  close(program->in);
  close(program->out);
  if (waitpid(program->id, &status, 0) != program->id) abort();
  if (session != NULL) session->is_busy = 0;
  if (WIFSIGNALED(status) && program->killed_at > 0) {
    kills++;
    ledger_doubt(program->kind, program->target, program->marker);
  } else if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    failed++;
    printf("FAILED %s %s ended with status %d\n", program->kind, program->target, status);
  }
  program->id = 0;
}

static void hear_all(int timeout_ms)
{
  struct pollfd ready[HOSTS + RUNNING_MAX];
  int i;
  for (i = 0; i < HOSTS + RUNNING_MAX; i++) {
    const program_t *program = i < HOSTS ? &hosts[i] : &running[i - HOSTS];
    ready[i].fd = program->id == 0 ? -1 : program->out;
    ready[i].events = POLLIN;
    ready[i].revents = 0;
  }
  if (poll(ready, HOSTS + RUNNING_MAX, timeout_ms) <= 0) return;
  for (i = 0; i < HOSTS + RUNNING_MAX; i++) {
    program_t *program = i < HOSTS ? &hosts[i] : &running[i - HOSTS];
    if (ready[i].revents != 0 && !hear(program)) end(program);
  }
}

static void tell(program_t *host, char order)
{
  host->is_ready = 0;
  if (write(host->in, &order, 1) != 1) abort();
}

static void await_hosts(void)
{
  int i;
  for (i = 0; i < HOSTS; i++)
    while (hosts[i].id != 0 && !hosts[i].is_ready) hear_all(1000);
}

/* ---- the day ---------------------------------------------------------------------------------------------------- */

static day_session_t *pick(int place)
{
  size_t i, count = 0;
  day_session_t *picked = NULL;
  for (i = 0; i < ledger_count; i++) {
    day_session_t *session = &ledger[i];
    if (session->owner == 0 && !session->is_busy && !session->place_doubted && (int)session->place == place &&
        random() % (long)++count == 0)
      picked = session;
  }
  return picked;
}

static size_t live_ones(void)
{
  size_t i, count = 0;
  for (i = 0; i < ledger_count; i++) count += ledger[i].place == LIVE;
  return count;
}

static int is_running(const char *kind)
{
  int i;
  for (i = 0; i < RUNNING_MAX; i++)
    if (running[i].id != 0 && strcmp(running[i].kind, kind) == 0) return 1;
  return 0;
}

static void start_command(program_t *program)
{
  static const char *const kinds[] = { "append", "append", "relaxed", "relaxed", "stream", "title", "enqueue",
    "enqueue", "deliver", "deliver", "deliver", "lock", "share", "read", "page", "list", "wait", "delete", "delete",
    "remove", "restore" };
  const char *kind = kinds[random() % (long)(sizeof kinds / sizeof *kinds)], *target = "-";
  day_session_t *session;
  size_t live = live_ones();
  int is_kept = strcmp(kind, "delete") != 0 && strcmp(kind, "remove") != 0;
  if (is_running("purge")) return; /* it takes what others would be at */
  if (commands % PURGED_OF == PURGED_OF - 1) {
    if (running[0].id + running[1].id != 0) return;
    kind = "purge";
  } else if (is_morning || (live < POOL && !is_kept))
    kind = "create";
  else if (strcmp(kind, "wait") == 0) target = ledger[random() % HOSTS].id;
  else if (strcmp(kind, "list") != 0) {
    session = pick(strcmp(kind, "restore") == 0 ? TRASHED : LIVE);
    if (session == NULL) return;
    session->is_busy = 1;
    target = session->id;
  }
  start(program, kind, target, ++markers);
  if (++commands % KILLED_OF == 0 && !is_morning) program->killed_at = now_seconds() + (double)(random() % 40) / 1000;
}

static void kill_some(void)
{
  int i;
  for (i = 0; i < RUNNING_MAX; i++)
    if (running[i].id != 0 && running[i].killed_at > 0 && now_seconds() >= running[i].killed_at)
      kill(running[i].id, SIGKILL);
}

static void measure(fifth_t *fifth, double idle)
{
  int i;
  await_hosts();
  while (running[0].id != 0 || running[1].id != 0) {
    hear_all(5);
    kill_some();
  }
  start(&running[0], "purge", "-", ++markers); /* what lies in the trash depends on when it was emptied last */
  while (running[0].id != 0) hear_all(1000);
  for (i = 0; i < HOSTS; i++) {
    tell(&hosts[i], 'm'); /* one alone */
    await_hosts();
  }
  usleep((useconds_t)(idle > 1 ? 3000000 : 0)); /* flushes and checkpoints come a moment later */
  for (i = 0; i < HOSTS; i++) fifth->sleeps[i] = (double)-sleeps_of(hosts[i].id);
  usleep((useconds_t)(idle * 1e6));
  for (i = 0; i < HOSTS; i++) {
    fifth->sleeps[i] = (fifth->sleeps[i] + (double)sleeps_of(hosts[i].id)) / idle;
    fifth->descriptors[i] = descriptors_of(hosts[i].id);
    fifth->memory[i] = (double)memory_of(hosts[i].id); /* idle: without garbage */
  }
  fifth->small_bytes = small_bytes_below(folder);
}

static void play(fifth_t *fifth, double until, double idle)
{
  int i;
  now_in = fifth;
  while (now_seconds() < until) {
    for (i = 0; i < HOSTS; i++)
      if (hosts[i].is_ready && now_seconds() >= hosts[i].rests_until) {
        hosts[i].rests_until = now_seconds() + REST;
        tell(&hosts[i], 'w');
      }
    for (i = 0; i < RUNNING_MAX; i++)
      if (running[i].id == 0) start_command(&running[i]);
    hear_all(5);
    kill_some();
  }
  fifth->time = now_seconds();
  measure(fifth, idle);
}

/* What fills at first is full before anything is measured: the sessions, and what hosts keep of them. */
static void play_morning(double until)
{
  static fifth_t morning;
  int i;
  is_morning = 1;
  while (live_ones() < POOL) {
    for (i = 0; i < RUNNING_MAX; i++)
      if (running[i].id == 0) start_command(&running[i]);
    hear_all(5);
  }
  is_morning = 0;
  play(&morning, until, 0.1);
}

/* ---- its end ---------------------------------------------------------------------------------------------------- */

static void report(void)
{
  int f, i;
  for (f = 0; f < FIFTHS; f++) {
    printf("fifth %d:", f + 1);
    for (i = 0; i < HOSTS; i++)
      printf(" host %d %.0f KB, %ld descriptors, %.1f wake-ups/s;", i + 1, fifths[f].memory[i],
             fifths[f].descriptors[i], fifths[f].sleeps[i]);
    printf(" small files %ld bytes\n  us:", fifths[f].small_bytes);
    for (i = 0; i < CALLS_MAX && call_names[i][0] != '\0'; i++)
      printf(" %s %.1f", call_names[i], fifths[f].calls[i] / 1000);
    printf("\n");
  }
}

static int call_of(const char *name)
{
  int i;
  for (i = 0; i < CALLS_MAX; i++)
    if (strcmp(call_names[i], name) == 0) return i;
  abort();
}

/* How long a call takes against what it waits for: the disk, or else the processor. Machines are not as fast at noon as
   in the morning. */
static double weight_of(const fifth_t *fifth, int call)
{
  static const char *const on_disk[] = { "append", "title", "queue", "stream" };
  const char *against = MACHINE_CALL;
  size_t i;
  for (i = 0; i < sizeof on_disk / sizeof *on_disk; i++)
    if (strcmp(call_names[call], on_disk[i]) == 0) against = DISK_CALL;
  return fifth->calls[call] / fifth->calls[call_of(against)];
}

static void check_times(void)
{
  double times[FIFTHS], values[FIFTHS];
  char what[1024];
  int f, i;
  for (f = 0; f < FIFTHS; f++) times[f] = fifths[f].time;
  for (i = 0; i <= HOSTS; i++) {
    double growth;
    for (f = 0; f < FIFTHS; f++) values[f] = i < HOSTS ? fifths[f].memory[i] : (double)fifths[f].small_bytes / 1024;
    growth = growth_an_hour(times + 1, values + 1, FIFTHS - 1);
    if (i < HOSTS) snprintf(what, sizeof what, "memory of host %d grows by %.0f KB an hour", i + 1, growth);
    else snprintf(what, sizeof what, "small files grow by %.0f KB an hour", growth);
    printf("%s\n", what);
    if (is_soak) check(growth <= 1024, what);
  }
  for (i = 0; i < CALLS_MAX && call_names[i][0] != '\0'; i++) {
    double slower = fifths[FIFTHS - 1].calls[i] / fifths[0].calls[i];
    double heavier = weight_of(&fifths[FIFTHS - 1], i) / weight_of(&fifths[0], i);
    snprintf(what, sizeof what,
             "%s takes %.1f us, %.2f times what it took in the first fifth, %.2f on the same machine",
             call_names[i], fifths[FIFTHS - 1].calls[i] / 1000, slower, heavier);
    printf("%s\n", what);
    /* A machine that became slower is no fault; and of one that became faster not all of a call does. */
    if (is_soak) check(slower <= 1.1 || heavier <= 1.1, what);
  }
  for (i = 0; i < HOSTS; i++) {
    snprintf(what, sizeof what, "host %d wakes up %.1f times a second, and %.1f in the first fifth", i + 1,
             fifths[FIFTHS - 1].sleeps[i], fifths[0].sleeps[i]);
    if (is_soak) check(fifths[FIFTHS - 1].sleeps[i] <= fifths[0].sleeps[i] * 1.1 + 1, what);
  }
}

static void check_store(void)
{
  session_store_t *store = NULL;
  char *json = NULL;
  int round;
  for (round = 0; round < 2; round++) { /* as the hosts left it, and after a close that was alone */
    store = open_day(folder);
    must(session_store_verify(store, &json, NULL), "verify");
    if (strstr(json, "\"ok\":true") == NULL) printf("%s\n", json);
    check(strstr(json, "\"ok\":true") != NULL, "the store is sound");
    session_string_free(json);
    check(ledger_check(store) == 0, "nothing acknowledged is lost");
    must(session_store_close(store), "close");
  }
}

static int conduct(double seconds)
{
  double idle = is_soak ? 10 : 0.2;
  int f, i;
  signal(SIGPIPE, SIG_IGN);
  srandom(11);
  now_in = &fifths[0];
  for (i = 0; i < HOSTS; i++) {
    start(&hosts[i], "host", "", (uint64_t)i + 1);
    while (!hosts[i].is_ready && hosts[i].id != 0) hear_all(1000);
    if (hosts[i].id == 0) return 1;
  }
  play_morning(now_seconds() + seconds / FIFTHS / 2);
  for (f = 0; f < FIFTHS; f++) play(&fifths[f], now_seconds() + seconds / FIFTHS, idle);
  for (i = 0; i < HOSTS; i++) {
    tell(&hosts[i], 'q');
    while (hosts[i].id != 0) hear_all(1000);
  }
  report();
  printf("%ld commands, %ld killed, %ld lines of the ledger, %zu sessions\n", commands, kills, ledger_lines,
         ledger_count);
  check(commands > 0, "commands ran");
  if (is_soak) check(kills > 0, "some commands were killed");
  for (i = 0; i < HOSTS; i++) {
    /* Logs that were written to are kept open, up to 64. */
    check(fifths[FIFTHS - 1].descriptors[i] <= fifths[0].descriptors[i] + 64, "descriptors are bounded");
    check(fifths[FIFTHS - 1].memory[i] <= fifths[0].memory[i] + 32 * 1024, "memory is bounded");
  }
  check_times();
  check_store();
  printf("day: %d passed, %d failed\n", passed, failed);
  return failed != 0;
}

int main(int argc, char **argv)
{
  static char path[4096];
  ssize_t length = readlink("/proc/self/exe", path, sizeof path - 1);
  self = length > 0 ? path : argv[0];
  if (argc == 4 && strcmp(argv[1], "host") == 0) return host_main(argv);
  if (argc == 5) return command_main(argv);
  if (argc < 3) return 2;
  folder = argv[1];
  is_soak = argc > 3 && strcmp(argv[3], "soak") == 0;
  return conduct(atof(argv[2]));
}
