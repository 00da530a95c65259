/* What the runtime takes when it starts. It ends the process where it cannot have it, so all of it
 * is tried first, at once: the host then gets an error and lives. */
#define _GNU_SOURCE
#include "boundary.h"

#define HEAP_MAX ((size_t)8 << 30) /* GCRegionRange in Native.targets */

#if defined(_WIN32)

#include <windows.h>

int sessions_has_room(void)
{
  void *heap = VirtualAlloc(NULL, HEAP_MAX + HEAP_MAX / 16, MEM_RESERVE, PAGE_NOACCESS);
  if (heap != NULL)
    VirtualFree(heap, 0, MEM_RELEASE);
  return heap != NULL;
}

#else

#include <pthread.h>
#include <stdio.h>
#include <sys/mman.h>

#if defined(__linux__)
#define HEAP_MIN ((size_t)256 << 20) /* environment.c tells the runtime how much it is */
#else
#define HEAP_MIN HEAP_MAX
#endif

/* Beside the range: its tables, which grow with it, and the stacks and arenas of threads. The C library
 * takes twice 64 MiB for a moment for each arena, and two threads may do so at once. */
#define HEAP_BESIDE(range) ((range) / 16 + ((size_t)320 << 20))

/* Memory that can be written to, beside the stack of a thread: a first store takes 6 MB. */
#define DATA_BYTES ((size_t)8 << 20)

/* A thread's memory beside its stack. */
#define THREAD_BESIDE ((size_t)256 * 1024)

static char heap_range[2 * sizeof(size_t) + 1];

const char *sessions_heap_range(void)
{
  return heap_range[0] == '\0' ? NULL : heap_range;
}

static void *end_at_once(void *unused)
{
  return unused;
}

static int has_thread(void)
{
  pthread_attr_t attributes;
  pthread_t thread;
  size_t stack = 0;
  if (pthread_attr_init(&attributes) != 0)
    return 0;
  pthread_attr_getstacksize(&attributes, &stack);
  pthread_attr_setstacksize(&attributes, stack + THREAD_BESIDE);
  int error = pthread_create(&thread, &attributes, end_at_once, NULL);
  pthread_attr_destroy(&attributes);
  if (error != 0)
    return 0;
  pthread_join(thread, NULL);
  return 1;
}

static int has_range(size_t range)
{
  size_t bytes = range + HEAP_BESIDE(range);
  void *heap = mmap(NULL, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (heap == MAP_FAILED)
    return 0;
  munmap(heap, bytes);
  return 1;
}

int sessions_has_room(void)
{
  size_t range = HEAP_MAX;
  void *data = mmap(NULL, DATA_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (data == MAP_FAILED)
    return 0;
  int has_all = has_thread();
  while (has_all && !has_range(range)) {
    range /= 2;
    has_all = range >= HEAP_MIN;
  }
  munmap(data, DATA_BYTES);
  snprintf(heap_range, sizeof heap_range, "%zx", range);
  return has_all;
}

#endif
