#include "steps.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Many times what a step may take, for machines with much else to do; the bound is on its CPU time. Whoever looks
   for cases that hang sets $HOSTILE_HUNG_SECONDS lower. */
#define HUNG_SECONDS 60

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
static const char *phase = "";
static const char *step = NULL;
static const char *step_role = "";
static int64_t wall;
static int64_t cpu;

static int64_t now_us(clockid_t clock) {
  struct timespec time;
  clock_gettime(clock, &time);
  return time.tv_sec * INT64_C(1000000) + time.tv_nsec / 1000;
}

static int64_t memory_kib(void) {
  int64_t most = -1;
  char line[256];
  FILE *status = fopen("/proc/self/status", "re");
  while (status != NULL && fgets(line, sizeof line, status) != NULL) {
    if (strncmp(line, "VmHWM:", 6) == 0) {
      most = strtoll(line + 6, NULL, 10);
    }
  }
  if (status != NULL) {
    fclose(status);
  }
  return most;
}

static void *watch(void *unused) {
  const char *given = getenv("HOSTILE_HUNG_SECONDS");
  int64_t patience = (given == NULL ? HUNG_SECONDS : atoi(given)) * INT64_C(1000000);
  (void)unused;
  for (;;) {
    struct timespec second = {1, 0};
    nanosleep(&second, NULL);
    pthread_mutex_lock(&gate);
    if (step != NULL && (now_us(CLOCK_MONOTONIC) - wall > patience ||
                         now_us(CLOCK_PROCESS_CPUTIME_ID) - cpu > patience / 4)) {
      printf("hung\t%s\t%s\t%s\t%lld\n", phase, step, step_role,
             (long long)(now_us(CLOCK_PROCESS_CPUTIME_ID) - cpu));
      fflush(stdout);
      _exit(3);
    }
    pthread_mutex_unlock(&gate);
  }
  return NULL;
}

void steps_begin(const char *name) {
  static int is_watched;
  pthread_t thread;
  if (!is_watched && pthread_create(&thread, NULL, watch, NULL) == 0) {
    pthread_detach(thread);
    is_watched = 1;
  }
  phase = name;
  printf("begin\t%s\n", phase);
  fflush(stdout);
}

void steps_end(void) {
  printf("end\t%s\t%lld\n", phase, (long long)memory_kib());
  fflush(stdout);
}

void step_begin(const char *name, const char *role) {
  pthread_mutex_lock(&gate);
  step = name;
  step_role = role;
  cpu = now_us(CLOCK_PROCESS_CPUTIME_ID);
  wall = now_us(CLOCK_MONOTONIC);
  pthread_mutex_unlock(&gate);
}

session_status_t step_end(session_status_t status) {
  const session_error_t *error = session_last_error();
  int failed = status != SESSION_OK && status != SESSION_E_TIMEOUT;
  int64_t took = now_us(CLOCK_MONOTONIC) - wall;
  int64_t used = now_us(CLOCK_PROCESS_CPUTIME_ID) - cpu;
  pthread_mutex_lock(&gate);
  printf("step\t%s\t%s\t%s\t%s\t%lld\t%lld\t", phase, step, step_role,
         session_status_name(status), (long long)took, (long long)used);
  if (failed) {
    printf("%s %s", error->details_json, error->message);
  }
  printf("\n");
  fflush(stdout);
  step = NULL;
  pthread_mutex_unlock(&gate);
  if (failed && (strstr(error->details_json, CANARY) || strstr(error->message, CANARY))) {
    step_fault("an error with text from outside");
  }
  return status;
}

void step_fault(const char *what) {
  printf("fault\t%s\t%s\t%s\n", phase, step_role, what);
  fflush(stdout);
}

void step_number(const char *what, const char *role, uint64_t number) {
  printf("%s\t%s\t%s\t%llu\n", what, phase, role, (unsigned long long)number);
  fflush(stdout);
}

void step_answer(char *answer) {
  if (answer != NULL && strstr(answer, CANARY) != NULL) {
    step_fault("an answer with text from outside");
  }
  session_string_free(answer);
}

const char *role_id(const struct roles *roles, const char *name) {
  int i;
  for (i = 0; i < roles->count; ++i) {
    if (strcmp(roles->all[i].name, name) == 0) {
      return roles->all[i].id;
    }
  }
  return "session_1";
}

void roles_add(struct roles *roles, const char *name, session_t *session) {
  char *id = NULL;
  struct role *role = &roles->all[roles->count++];
  session_get_id(session, &id);
  snprintf(role->name, sizeof role->name, "%s", name);
  snprintf(role->id, sizeof role->id, "%s", id == NULL ? "" : id);
  session_string_free(id);
}

int roles_write(const struct roles *roles, const char *path) {
  int i;
  FILE *file = fopen(path, "we");
  if (file == NULL) {
    return -1;
  }
  for (i = 0; i < roles->count; ++i) {
    fprintf(file, "%s %s\n", roles->all[i].name, roles->all[i].id);
  }
  fprintf(file, "secret %s\nfile %s\n", roles->secret, roles->file);
  return fclose(file);
}

int roles_read(struct roles *roles, const char *path) {
  char name[16];
  char value[136];
  FILE *file = fopen(path, "re");
  if (file == NULL) {
    return -1;
  }
  memset(roles, 0, sizeof *roles);
  while (fscanf(file, "%15s %135s", name, value) == 2) {
    if (strcmp(name, "secret") == 0) {
      snprintf(roles->secret, sizeof roles->secret, "%.127s", value);
    } else if (strcmp(name, "file") == 0) {
      snprintf(roles->file, sizeof roles->file, "%.63s", value);
    } else if (roles->count < ROLES) {
      struct role *role = &roles->all[roles->count++];
      snprintf(role->name, sizeof role->name, "%s", name);
      snprintf(role->id, sizeof role->id, "%s", value);
    }
  }
  return fclose(file);
}

int await_word(void) {
  char line[64];
  printf("waits\t%s\n", phase);
  fflush(stdout);
  return fgets(line, sizeof line, stdin) != NULL;
}
