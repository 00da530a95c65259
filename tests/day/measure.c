/* What /proc tells of a process, and what becomes of it over a day. */
#include "day.h"

#include <dirent.h>
#include <ftw.h>
#include <sys/stat.h>

double now_seconds(void)
{
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static long number_in(const char *path, const char *key)
{
  char line[256];
  long number = -1;
  FILE *file = fopen(path, "r");
  if (file == NULL) return -1;
  while (number < 0 && fgets(line, sizeof line, file) != NULL)
    if (strncmp(line, key, strlen(key)) == 0) number = atol(line + strlen(key));
  fclose(file);
  return number;
}

/* What it has of its own: what is mapped from files comes and goes as the system likes. */
long memory_of(pid_t process)
{
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/status", (int)process);
  return number_in(path, "RssAnon:");
}

static long count_in(const char *path, long (*each)(const char *))
{
  char entry[512];
  long count = 0;
  struct dirent *next;
  DIR *folder = opendir(path);
  if (folder == NULL) return -1;
  while ((next = readdir(folder)) != NULL) {
    if (next->d_name[0] == '.') continue;
    snprintf(entry, sizeof entry, "%s/%s/status", path, next->d_name);
    count += each == NULL ? 1 : each(entry);
  }
  closedir(folder);
  return count;
}

long descriptors_of(pid_t process)
{
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/fd", (int)process);
  return count_in(path, NULL);
}

static long sleeps_in(const char *path)
{
  long sleeps = number_in(path, "voluntary_ctxt_switches:");
  return sleeps < 0 ? 0 : sleeps;
}

long sleeps_of(pid_t process)
{
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/task", (int)process);
  return count_in(path, sleeps_in);
}

static int by_value(const void *left, const void *right)
{
  double a = *(const double *)left, b = *(const double *)right;
  return (a > b) - (a < b);
}

double median_of(double *values, int count)
{
  if (count == 0) return 0;
  qsort(values, (size_t)count, sizeof *values, by_value);
  return count % 2 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
}

double growth_an_hour(const double *times, const double *values, int count)
{
  double time = 0, value = 0, both = 0, square = 0;
  int i;
  for (i = 0; i < count; i++) {
    time += times[i] / count;
    value += values[i] / count;
  }
  for (i = 0; i < count; i++) {
    both += (times[i] - time) * (values[i] - value);
    square += (times[i] - time) * (times[i] - time);
  }
  return square == 0 ? 0 : both / square * 3600;
}

static long small_bytes;

static int add_small(const char *path, const struct stat *status, int kind, struct FTW *place)
{
  const char *name = path + place->base;
  size_t length = strlen(name);
  int is_log = length >= 6 && strcmp(name + length - 6, ".jsonl") == 0;
  if (kind == FTW_F && strstr(path, "/journal/") == NULL && !is_log && strcmp(name, "queue.json") != 0)
    small_bytes += (long)status->st_size;
  return 0;
}

long small_bytes_below(const char *folder)
{
  small_bytes = 0;
  nftw(folder, add_small, 16, FTW_PHYS);
  return small_bytes;
}
