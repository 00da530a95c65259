/* What the hostile host says of each call it makes, a line each, for the tests that read it:

     step <phase> <name> <role> <status> <wall us> <cpu us> <details>
     saved|last <phase> <role> <number of an event>
     waits <phase>                     it goes on with the next line
     fault <phase> <name> <what>       what no status says: a path outside, text of somebody else
     end <phase> <most memory in KiB>

   with tabs between. A step that does not return ends the process, by name. */
#ifndef HOSTILE_STEPS_H
#define HOSTILE_STEPS_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <sessions.h>
#include <stddef.h>
#include <stdint.h>

/* What the secret files outside have in them; no answer may. */
#define CANARY "CANARY-c0ffee"

void steps_begin(const char *phase);
void steps_end(void);
void step_begin(const char *name, const char *role);
session_status_t step_end(session_status_t status);
void step_fault(const char *what);

/* Says the number of an event that was saved, or of the last one that can be read. */
void step_number(const char *what, const char *role, uint64_t number);

/* Looks through an answer and frees it; NULL is fine. */
void step_answer(char *answer);

#define STEP(name, role, call) (step_begin(name, role), step_end(call))

/* What a seed store has, by what each is for. */
enum { ROLES = 10 };
struct roles {
  struct role {
    char name[16];
    char id[136];
  } all[ROLES];
  int count;
  char secret[128];
  char file[64];
};

/* Its id, or one that there is not. */
const char *role_id(const struct roles *roles, const char *name);
void roles_add(struct roles *roles, const char *name, session_t *session);
int roles_write(const struct roles *roles, const char *path);
int roles_read(struct roles *roles, const char *path);

/* Makes a store with something of everything. */
int seed_make(session_store_t *store, struct roles *roles);

/* Each returns the status of the first open. */
session_status_t use_to_read(const char *path, const struct roles *roles, uint32_t flags);
session_status_t use_to_write(const char *path, const struct roles *roles, uint32_t flags);
session_status_t use_after_salvage(const char *path, const struct roles *roles, uint32_t flags);
session_status_t use_over_and_over(const char *path, uint32_t flags, int rounds);
session_status_t use_beside(const char *path, const struct roles *roles, uint32_t flags);

/* Waits for a line of the test; returns 0 at the end of input. */
int await_word(void);

#endif
