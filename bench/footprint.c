/* What the library costs the program that loads it, each time in a fresh process:
 *   footprint LIBRARY STORE        prints one line of numbers:
 *   dlopen us, first call us, reserved KiB, resident KiB, resident KiB more than before */
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <sessions.h>

static double now_us(void)
{
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static long status_kib(const char *name)
{
  char line[256];
  long value = -1;
  FILE *file = fopen("/proc/self/status", "r");
  if (file == NULL) return -1;
  while (fgets(line, sizeof line, file) != NULL)
    if (strncmp(line, name, strlen(name)) == 0) value = strtol(line + strlen(name) + 1, NULL, 10);
  fclose(file);
  return value;
}

static void *library;

static void load(const char *name, void *function)
{
  void *found = dlsym(library, name);
  if (found == NULL) {
    fprintf(stderr, "footprint: no %s\n", name);
    exit(1);
  }
  memcpy(function, &found, sizeof found);
}

int main(int argc, char **argv)
{
  session_status_t (*log_read)(uint64_t, uint32_t, char **, size_t *);
  session_status_t (*open)(const char *, const session_store_options_t *, session_store_t **);
  session_status_t (*list)(session_store_t *, const session_list_options_t *, char **, size_t *,
                           char **);
  session_status_t (*close)(session_store_t *);
  void (*string_free)(char *);
  session_list_options_t options = SESSION_INIT(session_list_options_t);
  session_store_t *store;
  char *json;

  if (argc != 3) return 2;
  long reserved = status_kib("VmSize"), resident = status_kib("VmRSS");
  double start = now_us();
  library = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
  double loaded = now_us();
  if (library == NULL) {
    fprintf(stderr, "footprint: %s\n", dlerror());
    return 1;
  }
  load("session_log_read", &log_read);
  load("session_store_open", &open);
  load("session_list", &list);
  load("session_store_close", &close);
  load("session_string_free", &string_free);

  /* A call that has hardly anything to do but needs the runtime, so it is what starts it. */
  double before = now_us();
  session_status_t status = log_read(0, 1, &json, NULL);
  double called = now_us();
  if (status == SESSION_OK) string_free(json);
  options.fields = "id";
  if (status != SESSION_OK || open(argv[2], NULL, &store) != SESSION_OK ||
      list(store, &options, &json, NULL, NULL) != SESSION_OK) {
    fprintf(stderr, "footprint: the store did not open\n");
    return 1;
  }
  string_free(json);
  printf("%.1f %.1f %ld %ld %ld\n", loaded - start, called - before,
         status_kib("VmSize") - reserved, status_kib("VmRSS"), status_kib("VmRSS") - resident);
  return close(store) == SESSION_OK ? 0 : 1;
}
