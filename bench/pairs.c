/* Two libraries, old and new, in turn: is the new one slower?
 *
 * Each measurement is one of a fresh process, which loads its library by LD_LIBRARY_PATH. A round
 * measures both, one after the other, and the next round begins with the other one; so what else the
 * machine does meets both alike. What counts is the median of the rounds' ratios. */
#include "bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROUNDS_MAX = 101, ROUNDS = 30, WORST_MAX = 64 };
static const double tolerated = 1.03;

static const struct pair_row {
  const char *section, *title, *work, *filling; /* no filling: a new folder each time */
  int processes, threads;
  double seconds;
} pair_rows[] = {
  { "durable", "durable append, 1 thread", "ours.append", NULL, 1, 1, 0.5 },
  { "durable", "durable rename, 1 thread", "ours.rename", NULL, 1, 1, 0.5 },
  { "durable", "durable append, 16 threads", "ours.append", NULL, 1, 16, 0.5 },
  { "durable", "durable append, 4 processes × 4 threads", "ours.append", NULL, 4, 4, 0.5 },
  { "reading", "`session_get_info`, any of 10,000", "ours.info", "small", 1, 1, 0.2 },
  { "reading", "`session_list`, 10,000 sessions", "ours.list", "small", 1, 1, 0.3 },
  { "opening", "open a store of 10,000 sessions", "ours.open", "small", 1, 1, 0.2 },
  { "opening", "the same, and an info", "ours.open_info", "small", 1, 1, 0.2 },
  { "opening", "the same, and a list", "ours.open_list", "small", 1, 1, 0.2 },
  { "opening", "open a store of 100,000 sessions", "ours.open", "large", 1, 1, 0.2 },
  { "opening", "the same, and an info", "ours.open_info", "large", 1, 1, 0.2 },
  { "opening", "the same, and a list", "ours.open_list", "large", 1, 1, 0.2 },
  { "tail", "last 50 events of 100,000", "ours.tail", "log", 1, 1, 0.2 },
  { "transcript", "transcript: messages", "talk.messages", "talk", 1, 1, 0.2 },
  { "transcript", "transcript: UI messages", "talk.ui_messages", "talk", 1, 1, 0.2 },
  { "transcript", "transcript: Markdown", "talk.markdown", "talk", 1, 1, 0.2 },
  { "transcript", "transcript: HTML", "talk.html", "talk", 1, 1, 0.2 },
  { "transcript", "UI messages after one more event", "talk.one_more", "talk", 1, 1, 0.2 },
  { "calls", "a call", "ours.call", "empty", 1, 1, 0.2 },
  { "growth", "relaxed append, session of 100,000 events", "ours.relaxed_long", "log", 1, 1, 0.2 },
  { "growth", "relaxed append, store of 100,000 sessions", "ours.relaxed", "large", 1, 1, 0.2 },
  { "growth", "relaxed append", "ours.relaxed", NULL, 1, 1, 0.2 },
  { "stream", "a stream chunk", "ours.chunk", NULL, 1, 1, 0.2 },
  { "together", "lock and unlock", "ours.lock", NULL, 1, 1, 0.2 },
};

static const char *const measures[] = { "loading the library", "first call", "reserved address space",
                                        "resident memory, empty store", "of that, the library's" };

typedef struct side {
  const char *library; /* the folder with its libsessions.so */
  char *root;
  double values[ROUNDS_MAX];
} side_t;

static int rounds, rows, worse;
static char *worst[WORST_MAX];

static void use(const side_t *side)
{
  if (setenv("LD_LIBRARY_PATH", side->library, 1) != 0) bench_die("no memory");
}

/* How many of the smallest and of the largest of so many values lie outside the interval that has
 * their population's median in it 95 times of 100: each value is above it as often as a coin falls
 * heads. */
static int outside(int count)
{
  double chance = 1, below = 0;
  int k = 0;
  for (int i = 0; i < count; i++) chance /= 2; /* of no heads at all */
  while (below + chance <= 0.025) {
    below += chance;
    chance = chance * (count - k) / (k + 1);
    k++;
  }
  return k - 1;
}

/* A store that both sides work with in turn. Two that were filled alike differ by a quarter in how
 * long they take to open, for their files lie elsewhere on the disk. */
static const char *filled(side_t sides[2], const char *filling)
{
  use(&sides[0]); /* what the old one writes, the new one reads */
  return bench_filled(sides[0].root, filling);
}

/* Both sides' values are times or sizes: more is worse. */
static void pair_row(const char *title, side_t sides[2])
{
  double ratios[ROUNDS_MAX];
  for (int i = 0; i < rounds; i++) ratios[i] = sides[1].values[i] / sides[0].values[i];
  double median = bench_median(ratios, rounds); /* and now they are sorted */
  double low = ratios[outside(rounds)], high = ratios[rounds - 1 - outside(rounds)];
  int is_worse = low > tolerated;
  printf("| %s | %.3f | %.3f to %.3f | %s |\n", title, median, low, high,
         is_worse ? "**worse**" : high < 1 / tolerated ? "better" : "");
  fflush(stdout);
  rows++;
  if (!is_worse) return;
  if (worse == WORST_MAX) bench_die("at most %d rows", WORST_MAX);
  worst[worse] = strdup(title);
  worse++;
}

static void measure_row(const struct pair_row *row, side_t sides[2])
{
  for (int i = 0; i < rounds; i++)
    for (int turn = 0; turn < 2; turn++) {
      side_t *side = &sides[(i + turn) % 2];
      const char *folder = row->filling == NULL ? NULL : filled(sides, row->filling);
      use(side);
      side->values[i] = 1 / bench_once(side->root, row->work, folder, row->processes, row->threads,
                                       row->seconds);
    }
  pair_row(row->title, sides);
}

static void run_footprint(const char *footprint, side_t sides[2], int which, double values[5])
{
  char command[4096];
  const char *folder = filled(sides, "empty");
  use(&sides[which]);
  snprintf(command, sizeof command, "'%s' '%s/libsessions.so' '%s/store'", footprint,
           sides[which].library, folder);
  FILE *output = popen(command, "r");
  if (output == NULL || fscanf(output, "%lf %lf %lf %lf %lf", &values[0], &values[1], &values[2],
                               &values[3], &values[4]) != 5 || pclose(output) != 0)
    bench_die("the footprint program failed");
}

static void measure_footprint(const char *footprint, side_t sides[2])
{
  static double values[2][ROUNDS_MAX][5];
  for (int i = 0; i < rounds; i++)
    for (int turn = 0; turn < 2; turn++) {
      int which = (i + turn) % 2;
      run_footprint(footprint, sides, which, values[which][i]);
    }
  for (int measure = 0; measure < 5; measure++) {
    for (int which = 0; which < 2; which++)
      for (int i = 0; i < rounds; i++) sides[which].values[i] = values[which][i][measure];
    pair_row(measures[measure], sides);
  }
}

static int is_wanted(const char *section, char **wanted)
{
  int is = *wanted == NULL;
  for (char **name = wanted; *name != NULL; name++) is |= strcmp(*name, section) == 0;
  return is;
}

int bench_pairs(const char *root, const char *old_library, const char *new_library,
                const char *footprint, char **wanted)
{
  static side_t sides[2];
  const char *asked = getenv("BENCH_ROUNDS");
  rounds = asked == NULL ? ROUNDS : atoi(asked);
  if (rounds < 6 || rounds > ROUNDS_MAX)
    bench_die("BENCH_ROUNDS is 6 to %d: fewer rounds have no interval of 95 %%", ROUNDS_MAX);
  bench_make_folder(root);
  sides[0] = (side_t){ .library = old_library, .root = bench_path(root, "old") };
  sides[1] = (side_t){ .library = new_library, .root = bench_path(root, "new") };
  for (int i = 0; i < 2; i++) bench_make_folder(sides[i].root);
  printf("| time or size, %d rounds | new / old | 95 %% of medians | |\n|---|---:|---:|---|\n", rounds);
  for (size_t i = 0; i < sizeof pair_rows / sizeof *pair_rows; i++)
    if (is_wanted(pair_rows[i].section, wanted)) measure_row(&pair_rows[i], sides);
  if (is_wanted("footprint", wanted)) measure_footprint(footprint, sides);
  bench_remove_folder(root);
  if (rows == 0) bench_die("no row is in these sections");
  printf("\n%d rows, %d of them worse by more than 3 %%\n", rows, worse);
  for (int i = 0; i < worse; i++) printf("- %s\n", worst[i]);
  return worse != 0;
}
