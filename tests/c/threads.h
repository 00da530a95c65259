/* Threads for the programs that need more than one. */
#ifndef THREADS_H
#define THREADS_H

#include "check.h"

#include <pthread.h>
#include <sched.h>

#define THREADS_MAX 32

typedef struct threads {
  pthread_t ids[THREADS_MAX];
  int count;
} threads_t;

static inline void threads_start(threads_t *threads, void *(*run)(void *), void *argument) {
  if (CHECK(threads->count < THREADS_MAX) &&
      CHECK(pthread_create(&threads->ids[threads->count], NULL, run, argument) == 0)) {
    ++threads->count;
  }
}

static inline void threads_join(threads_t *threads) {
  int i;
  for (i = 0; i < threads->count; ++i) {
    CHECK(pthread_join(threads->ids[i], NULL) == 0);
  }
  threads->count = 0;
}

#endif
