/* Folders to work in: new ones, and stores that were filled before. */
#include "bench.h"

#include <stdlib.h>
#include <string.h>

static const struct { const char *name, *command; long sessions, events; } fillings[] = {
  { "empty", "ours-fill", 0, 0 },
  { "small", "ours-fill", BENCH_SMALL, 0 },
  { "small-sqlite", "sqlite-fill", BENCH_SMALL, 0 },
  { "large", "ours-fill", BENCH_LARGE, 0 },
  { "log", "ours-fill", 0, BENCH_LOG },
  { "talk", "talk-fill", BENCH_TURNS, 0 },
};

static char *made[32]; /* their paths; more than there are fillings of two roots */

const char *bench_filled(const char *root, const char *name)
{
  char *path = bench_path(root, name);
  int place = 0;
  for (; made[place] != NULL; place++) {
    if (strcmp(made[place], path) != 0) continue;
    free(path);
    return made[place];
  }
  for (size_t i = 0; i < sizeof fillings / sizeof *fillings; i++) {
    if (strcmp(fillings[i].name, name) != 0) continue;
    bench_make_folder(path);
    if (strcmp(fillings[i].command, "sqlite-fill") == 0) bench_run_self("sqlite-create", path, 0, 0);
    bench_run_self(fillings[i].command, path, fillings[i].sessions, fillings[i].events);
    return made[place] = path;
  }
  bench_die("no filling %s", name);
}

double bench_once(const char *root, const char *work, const char *folder, int processes, int threads,
                  double seconds)
{
  if (folder != NULL) return bench_rate(work, folder, processes, threads, seconds);
  char *fresh = bench_path(root, "fresh");
  bench_make_folder(fresh);
  if (strncmp(work, "sqlite.", 7) == 0) bench_run_self("sqlite-create", fresh, 0, 0);
  if (strncmp(work, "ours.", 5) == 0) bench_run_self("ours-fill", fresh, 0, 0);
  double rate = bench_rate(work, fresh, processes, threads, seconds);
  bench_remove_folder(fresh);
  free(fresh);
  return rate;
}
