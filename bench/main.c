/* The driver: measures each pair in alternating rounds and prints one table of ratios.
 *   bench all FOLDER LIBRARY FOOTPRINT [SECTION...]   FOLDER is made and removed
 *   bench pairs FOLDER OLD NEW FOOTPRINT [SECTION...] likewise; two folders with a libsessions.so
 * The other commands are what it starts its workers with. */
#include "bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { ROUNDS_MAX = 9, ROWS_MAX = 64, LARGE = BENCH_LARGE, HEARD = 300 };

static const char *root, *library, *program, *self;
static int rows, missed;

/* ---- the table ------------------------------------------------------------------------------ */

static void head(void)
{
  puts("| work | rival | ours | rival's | ratio | target | met |");
  puts("|---|---|---:|---:|---:|---|---|");
}

static void row(const char *work, const char *rival, const char *ours, const char *theirs,
                const char *ratio, const char *target, int met)
{
  static const char *const words[] = { "**no**", "yes", "" };
  printf("| %s | %s | %s | %s | %s | %s | %s |\n", work, rival, ours, theirs, ratio, target,
         words[target[0] == '\0' ? 2 : met]);
  fflush(stdout);
  rows++;
  missed += target[0] != '\0' && !met;
}

/* Three digits, never more than a person reads. */
static const char *number_text(double value, char *text, size_t size)
{
  snprintf(text, size, "%.*f", value < 10 ? 2 : value < 100 ? 1 : 0, value);
  return text;
}

/* How long one operation takes. */
static const char *time_text(double rate, char *text, size_t size)
{
  static const char *const units[] = { "ns", "µs", "ms", "s" };
  char digits[32];
  double value = 1e9 / rate;
  int unit = 0;
  for (; value >= 1000 && unit < 3; unit++) value /= 1000;
  snprintf(text, size, "%s %s", number_text(value, digits, sizeof digits), units[unit]);
  return text;
}

static void rate_row(const char *work, const char *rival, double ours, double theirs,
                     double at_least)
{
  char ours_text[48], theirs_text[48], ratio[24], target[24] = "";
  number_text(ours / theirs, ratio, sizeof ratio);
  if (at_least > 0) snprintf(target, sizeof target, "at least %g", at_least);
  row(work, rival, time_text(ours, ours_text, sizeof ours_text),
      time_text(theirs, theirs_text, sizeof theirs_text), ratio, target, ours / theirs >= at_least);
}

static void limit_row(const char *work, double value, const char *unit, double at_most)
{
  char digits[32], text[48], target[48] = "";
  snprintf(text, sizeof text, "%s %s", number_text(value, digits, sizeof digits), unit);
  if (at_most > 0) snprintf(target, sizeof target, "at most %g %s", at_most, unit);
  row(work, "", text, "", "", target, value <= at_most);
}

/* ---- alternating rounds --------------------------------------------------------------------- */

typedef struct contender {
  const char *work;
  const char *folder;  /* NULL: a new one for each round */
  double rates[ROUNDS_MAX];
} contender_t;

/* A B A B ...: what the machine does meanwhile meets all sides. Puts the medians into rates[0]. */
static void compare(contender_t *all, int count, int rounds, int processes, int threads,
                    double seconds)
{
  for (int i = 0; i < rounds; i++)
    for (int side = 0; side < count; side++)
      all[side].rates[i] = bench_once(root, all[side].work, all[side].folder, processes, threads, seconds);
  for (int side = 0; side < count; side++)
    all[side].rates[0] = bench_median(all[side].rates, rounds);
}

static void pair(const char *title, const char *rival, const char *our_work,
                 const char *our_folder, const char *their_work, const char *their_folder,
                 int rounds, int processes, int threads, double seconds, double at_least)
{
  contender_t sides[] = { { our_work, our_folder, { 0 } }, { their_work, their_folder, { 0 } } };
  compare(sides, 2, rounds, processes, threads, seconds);
  rate_row(title, rival, sides[0].rates[0], sides[1].rates[0], at_least);
}

static const char *filled(const char *name)
{
  return bench_filled(root, name);
}

/* ---- what is measured ----------------------------------------------------------------------- */

static const char sqlite[] = "SQLite", plain[] = "plain files";

static void durable(void)
{
  pair("durable append, 1 thread", sqlite, "ours.append", NULL, "sqlite.append", NULL, 7, 1, 1,
       1, 1);
  pair("durable rename, 1 thread", sqlite, "ours.rename", NULL, "sqlite.rename", NULL, 7, 1, 1,
       1, 0.9);
  pair("durable append, 16 threads", sqlite, "ours.append", NULL, "sqlite.append", NULL, 5, 1, 16,
       1, 8);
  pair("durable append, 4 processes × 4 threads", sqlite, "ours.append", NULL, "sqlite.append",
       NULL, 5, 4, 4, 1, 3);
}

static void reading(void)
{
  const char *ours = filled("small"), *theirs = filled("small-sqlite");
  pair("`session_get_info`, any of 10,000", sqlite, "ours.info", ours, "sqlite.info", theirs, 5, 1,
       1, 0.4, 20);
  pair("`session_list`, 10,000 sessions, all as JSON", sqlite, "ours.list", ours, "sqlite.list",
       theirs, 5, 1, 1, 0.5, 8);
}

static void open_one(const char *count, const char *store, int rounds)
{
  static const char *const titles[] = { "open a store of %s sessions",
                                        "the same, and the first session's info",
                                        "the same, and the first list of all" };
  contender_t sides[] = { { "ours.open", store, { 0 } }, { "ours.open_info", store, { 0 } },
                          { "ours.open_list", store, { 0 } }, { "plain.open", store, { 0 } } };
  compare(sides, 4, rounds, 1, 1, 0.2);
  for (int i = 0; i < 3; i++) {
    char title[96];
    snprintf(title, sizeof title, titles[i], count);
    rate_row(title, "reading every session.json", sides[i].rates[0], sides[3].rates[0],
             i == 0 ? 20 : 0);
  }
}

static void opening(void)
{
  open_one("10,000", filled("small"), 5);
  open_one("100,000", filled("large"), 3);
}

static void tail(void)
{
  const char *log = filled("log");
  pair("last 50 events of a 100,000-event log", "reading the file from the start", "ours.tail",
       log, "plain.tail", log, 5, 1, 1, 0.3, 20);
}

/* The log of the only session of a filled store, in MB. */
static double log_size(const char *folder)
{
  char command[4096];
  double bytes = 0;
  snprintf(command, sizeof command, "find '%s' -name events.jsonl -printf '%%s'", folder);
  FILE *output = popen(command, "r");
  if (output == NULL || fscanf(output, "%lf", &bytes) != 1 || pclose(output) != 0)
    bench_die("no log in %s", folder);
  return bytes / 1e6;
}

static void transcripts(void)
{
  static const struct { const char *title, *work; double at_least; } works[] = {
    { "transcript of a %.1f MB session: messages", "talk.messages", 100 },
    { "the same as UI messages", "talk.ui_messages", 100 },
    { "the same as Markdown", "talk.markdown", 100 },
    { "the same as HTML", "talk.html", 100 },
    { "the same as UI messages, again after one more event", "talk.one_more", 0 },
  };
  const char *talk = filled("talk");
  double size = log_size(talk);
  for (size_t i = 0; i < sizeof works / sizeof *works; i++) {
    contender_t side = { works[i].work, talk, { 0 } };
    char title[96], ours[48], digits[32], target[48] = "";
    compare(&side, 1, 5, 1, 1, 0.3);
    snprintf(title, sizeof title, works[i].title, size);
    snprintf(ours, sizeof ours, "%s MB/s", number_text(side.rates[0] * size, digits, sizeof digits));
    if (works[i].at_least > 0)
      snprintf(target, sizeof target, "at least %g MB/s", works[i].at_least);
    row(title, "", ours, "", "", target, side.rates[0] * size >= works[i].at_least);
  }
}

static void calls(void)
{
  const char *empty = filled("empty");
  contender_t sides[] = { { "ours.call", empty, { 0 } }, { "plain.call", empty, { 0 } } };
  compare(sides, 2, 5, 1, 1, 0.2);
  limit_row("call through the interface, more than an empty C function",
            1e9 / sides[0].rates[0] - 1e9 / sides[1].rates[0], "ns", 15);
}

typedef struct footprint { double load, call, reserved, resident, more; } footprint_t;

static footprint_t median_footprint(const char *folder)
{
  enum { TIMES = 7 };
  double values[5][TIMES];
  char command[4096];
  snprintf(command, sizeof command, "'%s' '%s' '%s/store'", program, library, folder);
  for (int i = 0; i < TIMES; i++) {
    FILE *output = popen(command, "r");
    if (output == NULL || fscanf(output, "%lf %lf %lf %lf %lf", &values[0][i], &values[1][i],
                                 &values[2][i], &values[3][i], &values[4][i]) != 5 ||
        pclose(output) != 0)
      bench_die("the footprint program failed");
  }
  return (footprint_t){ bench_median(values[0], TIMES), bench_median(values[1], TIMES),
                        bench_median(values[2], TIMES), bench_median(values[3], TIMES),
                        bench_median(values[4], TIMES) };
}

static void footprints(void)
{
  struct stat status;
  footprint_t bare = median_footprint(filled("empty"));
  footprint_t full = median_footprint(filled("large"));
  if (stat(library, &status) != 0) bench_die("no %s", library);
  limit_row("loading the library (`dlopen`)", bare.load / 1e3, "ms", 0);
  limit_row("first call", bare.call / 1e3, "ms", 2);
  limit_row("library", (double)status.st_size / 1e6, "MB", 4);
  limit_row("resident memory of the process, empty store", bare.resident * 1024 / 1e6, "MB", 8);
  limit_row("of that, not there before the library was loaded", bare.more * 1024 / 1e6, "MB", 0);
  limit_row("resident memory a session, 100,000 of them listed",
            (full.resident - bare.resident) * 1024 / LARGE, "bytes", 1024);
  limit_row("reserved address space", bare.reserved * 1024 / 1e9, "GB", 10);
}

/* The reader is a process of its own, so that its memory is all that is counted. */
static void cursors(void)
{
  char command[4096];
  char *folder = bench_path(root, "gigabyte");
  double took, peak, fork, copies[3];
  char ours[48], theirs[48], ratio[24];
  FILE *output;
  bench_make_folder(folder);
  bench_run_self("ours-fill-large", folder, 1024, 0);
  snprintf(command, sizeof command, "'%s' ours-read-cursor '%s' 0", self, folder);
  output = popen(command, "r");
  if (output == NULL || fscanf(output, "%lf %lf %lf", &took, &peak, &fork) != 3 || pclose(output) != 0)
    bench_die("the reader failed");
  limit_row("resident memory at most while reading a 1 GB log through a cursor", peak * 1024 / 1e6,
            "MB", 32);
  limit_row("reading a 1 GB log through a cursor", took / 1e6, "s", 0);
  for (int i = 0; i < 3; i++) {
    int64_t start = bench_now();
    snprintf(command, sizeof command,
             "cp \"$(find '%s' -name events.jsonl -size +100M | head -n 1)\" '%s/copy'", folder, folder);
    if (system(command) != 0) bench_die("cp failed");
    copies[i] = (double)(bench_now() - start);
  }
  double copied = bench_median(copies, 3);
  row("branch of a 1 GB session", "`cp` of its log", time_text(1e9 / fork, ours, sizeof ours),
      time_text(1e9 / copied, theirs, sizeof theirs),
      number_text(copied / fork, ratio, sizeof ratio), "at least 1000", copied / fork >= 1000);
  limit_row("branch of a 1 GB session", fork / 1e6, "ms", 5);
  bench_remove_folder(folder);
  free(folder);
}

/* Growth shows where no disk hides it: in relaxed appends. Within a tenth is the same. */
static void growth(void)
{
  const char *log = filled("log"), *large = filled("large");
  pair("append, in a session of 100,000 events", "a new session", "ours.relaxed_long", log,
       "ours.relaxed", log, 5, 1, 1, 0.5, 0.9);
  pair("append, in a store of 100,000 sessions", "an empty store", "ours.relaxed", large,
       "ours.relaxed", NULL, 5, 1, 1, 0.5, 0.9);
}

static void stream(void)
{
  contender_t chunk = { "ours.chunk", NULL, { 0 } };
  compare(&chunk, 1, 5, 1, 1, 0.5);
  limit_row("a stream chunk", 1e6 / chunk.rates[0], "µs", 20);
}

static double change_wait(double *late)
{
  char command[4096], line[64];
  double median;
  FILE *hearing;
  char *fresh = bench_path(root, "fresh");
  bench_make_folder(fresh);
  bench_run_self("ours-fill", fresh, 0, 0);
  snprintf(command, sizeof command, "'%s' hear '%s' %d", self, fresh, HEARD);
  hearing = popen(command, "r");
  if (hearing == NULL || fgets(line, sizeof line, hearing) == NULL) bench_die("nobody hears");
  bench_run_self("say", fresh, HEARD, 0);
  if (fscanf(hearing, "%lf %lf", &median, late) != 2 || pclose(hearing) != 0)
    bench_die("the one who hears failed");
  bench_remove_folder(fresh);
  free(fresh);
  return median;
}

/* The writers' rate while another process follows with that many watches. */
static double followed_rate(const char *folder, int watches, long *told, long *missed)
{
  char command[4096], line[64];
  long appended, least, gaps, silent;
  FILE *following;
  /* A fifo's other end is this process: closing it ends the follower. */
  char *fifo = bench_path(folder, "end");
  snprintf(command, sizeof command, "mkfifo '%s' && '%s' follow '%s' %d < '%s'", fifo, self, folder,
           watches, fifo);
  following = popen(command, "r");
  if (following == NULL) bench_die("nobody follows");
  FILE *end = NULL;
  for (int i = 0; end == NULL && i < 1000; i++) {
    struct timespec moment = { 0, 5000000 };
    nanosleep(&moment, NULL);
    end = fopen(fifo, "r+");
  }
  if (end == NULL || fgets(line, sizeof line, following) == NULL) bench_die("nobody follows");
  double rate = bench_rate("ours.append", folder, 1, 16, 1);
  fputs("end\n", end);
  fflush(end);
  if (fscanf(following, "%ld %ld %ld %ld", &appended, &least, &gaps, &silent) != 4 ||
      pclose(following) != 0 || appended == 0)
    bench_die("the follower failed");
  fclose(end);
  unlink(fifo);
  free(fifo);
  *told += gaps;
  *missed += silent;
  return rate;
}

/* How long the longest append takes beside a busy neighbour that is killed again and again, or is not. */
static double longest_append(int kills)
{
  enum { MILLISECONDS = 3000 };
  char command[4096];
  double longest;
  int64_t until = bench_now() + (MILLISECONDS - 200) * INT64_C(1000000);
  char *fresh = bench_path(root, "fresh");
  bench_make_folder(fresh);
  bench_run_self("ours-fill", fresh, 0, 0);
  snprintf(command, sizeof command, "'%s' longest '%s' %d", self, fresh, MILLISECONDS);
  FILE *appending = popen(command, "r");
  if (appending == NULL) bench_die("nobody appends");
  for (int i = 0; bench_now() < until; i++) {
    struct timespec moment = { 0, kills ? (60 + i * 37 % 90) * 1000000 : 999999999 };
    int neighbour = bench_start_self("hammer", fresh, 4);
    nanosleep(&moment, NULL);
    bench_kill(neighbour);
  }
  if (fscanf(appending, "%lf", &longest) != 1 || pclose(appending) != 0)
    bench_die("the one who appends failed");
  bench_remove_folder(fresh);
  free(fresh);
  return longest;
}

static void together(void)
{
  enum { ROUNDS = 3, WATCHES = 100 };
  double medians[ROUNDS], lates[ROUNDS], followed[ROUNDS], alone[ROUNDS];
  long told = 0, missed = 0;
  char title[96], text[48];

  for (int i = 0; i < ROUNDS; i++) medians[i] = change_wait(&lates[i]);
  limit_row("a change, from its append to another process that polls: median",
            bench_median(medians, ROUNDS) / 1e3, "µs", 50000);
  limit_row("the same: 99th percentile", bench_median(lates, ROUNDS) / 1e3, "µs", 50000);
  double beside[ROUNDS], killed[ROUNDS];
  for (int i = 0; i < ROUNDS; i++) {
    beside[i] = longest_append(0);
    killed[i] = longest_append(1);
  }
  limit_row("longest of all appends beside a busy neighbour", bench_median(beside, ROUNDS) / 1e6, "ms", 0);
  limit_row("the same beside one that is killed ten times a second, more than that",
            (bench_median(killed, ROUNDS) - bench_median(beside, ROUNDS)) / 1e6, "ms", 50);
  pair("session lock and unlock", "`flock` in C", "ours.lock", NULL, "plain.flock", NULL, 5, 1, 1,
       0.5, 0);
  for (int i = 0; i < ROUNDS; i++) {
    char *fresh = bench_path(root, "fresh");
    bench_make_folder(fresh);
    bench_run_self("ours-fill", fresh, 0, 0);
    followed[i] = followed_rate(fresh, WATCHES, &told, &missed);
    bench_remove_folder(fresh);
    free(fresh);
    alone[i] = bench_once(root, "ours.append", NULL, 1, 16, 1);
  }
  rate_row("durable append, 16 threads, 100 watches in another process", "the same without them",
           bench_median(followed, ROUNDS), bench_median(alone, ROUNDS), 0);
  snprintf(text, sizeof text, "%ld of %d", missed, ROUNDS * WATCHES);
  snprintf(title, sizeof title, "of those watches, missed a change and were not told (told of a gap: %ld)",
           told);
  row(title, "", text, "", "", "none", missed == 0);
}

/* Last, because a file system remembers for a while how many files were just removed. */
static void beside_plain(void)
{
  pair("durable append, 1 thread", plain, "ours.append", NULL, "plain.append", NULL, 3, 1, 1, 1,
       0);
  pair("durable rename, 1 thread", plain, "ours.rename", NULL, "plain.rename", NULL, 3, 1, 1, 1,
       0);
}

static int all(char **wanted)
{
  static const struct { const char *name; void (*measure)(void); } sections[] = {
    { "durable", durable },       { "reading", reading }, { "opening", opening },
    { "tail", tail },             { "transcript", transcripts }, { "calls", calls },
    { "footprint", footprints },  { "cursor", cursors },  { "growth", growth },
    { "stream", stream },         { "together", together },
    { "plain", beside_plain },
  };
  bench_make_folder(root);
  head();
  for (size_t i = 0; i < sizeof sections / sizeof *sections; i++) {
    int asked = *wanted == NULL;
    for (char **name = wanted; *name != NULL; name++) asked |= !strcmp(*name, sections[i].name);
    if (asked) sections[i].measure();
  }
  bench_remove_folder(root);
  fprintf(stderr, "%d rows, %d of them below their target\n", rows, missed);
  return rows == 0;
}

int main(int argc, char **argv)
{
  if (argc < 4) bench_die("see the top of bench/main.c");
  const char *command = argv[1];
  root = argv[2];
  self = argv[0];
  if (strcmp(command, "all") == 0 && argc >= 5) {
    library = argv[3];
    program = argv[4];
    return all(argv + 5);
  }
  if (strcmp(command, "pairs") == 0 && argc >= 6)
    return bench_pairs(root, argv[3], argv[4], argv[5], argv + 6);
  if (strcmp(command, "work") == 0 && argc == 6) {
    bench_worker(argv[2], argv[3], atoi(argv[4]), strtod(argv[5], NULL));
    return 0;
  }
  long first = atol(argv[3]), second = argc > 4 ? atol(argv[4]) : 0;
  if (strcmp(command, "ours-fill") == 0) bench_ours_fill(root, first, second);
  else if (strcmp(command, "talk-fill") == 0) bench_talk_fill(root, first);
  else if (strcmp(command, "ours-fill-large") == 0) bench_ours_fill_large(root, first);
  else if (strcmp(command, "ours-read-cursor") == 0) bench_ours_read_cursor(root);
  else if (strcmp(command, "hear") == 0) bench_hear(root, first);
  else if (strcmp(command, "say") == 0) bench_say(root, first);
  else if (strcmp(command, "follow") == 0) bench_follow(root, first);
  else if (strcmp(command, "hammer") == 0) bench_hammer(root, first);
  else if (strcmp(command, "longest") == 0) bench_longest(root, first);
  else if (strcmp(command, "sqlite-fill") == 0) bench_sqlite_fill(root, first);
  else if (strcmp(command, "sqlite-create") == 0) bench_sqlite_create(root);
  else bench_die("no command %s", command);
  return 0;
}
