#!/bin/sh
# Prints C source that stands in for the managed half of the library: for each managed_* function that
# the given objects lack, a jump through a pointer that sessions_stand_in sets.
#
#   tools/stand-ins.sh OBJECT... >stand_ins.c
#
# The jumps are assembler because they hand on the arguments of any signature.
set -eu

names=$(nm -u "$@" | sed -n 's/.* U \(managed_[a-z_]*\)$/\1/p' | sort -u)
[ -n "$names" ] || { echo "$0: these objects lack no managed function" >&2; exit 1; }

cat <<TEXT
#include <stddef.h>
#include <string.h>

typedef void (*function_t)(void);
__attribute__((visibility("hidden"))) function_t sessions_stand_ins[$(echo "$names" | wc -l)];
int sessions_stand_in(const char *name, function_t function);

static const char *const names[] = {
TEXT
for name in $names; do printf '    "%s",\n' "$name"; done
cat <<'TEXT'
};

/* Puts a function behind a managed one, or behind all where the name is NULL. Answers how many
   of them have none yet, or -1 where there is no function of that name. */
__attribute__((visibility("default"))) int sessions_stand_in(const char *name,
                                                             function_t function)
{
  int known = name == NULL, empty = 0;
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
    if (name == NULL || strcmp(name, names[i]) == 0) {
      sessions_stand_ins[i] = function;
      known = 1;
    }
    empty += sessions_stand_ins[i] == NULL;
  }
  return known ? empty : -1;
}

#if defined(__x86_64__)
#define JUMP(name, place) \
  __asm__(".text\n.globl " name "\n.hidden " name "\n.type " name ", @function\n" name ":\n" \
          "  jmp *sessions_stand_ins+" place "(%rip)\n");
#elif defined(__aarch64__)
#define JUMP(name, place) \
  __asm__(".text\n.globl " name "\n.hidden " name "\n.type " name ", %function\n" name ":\n" \
          "  adrp x16, sessions_stand_ins+" place "\n" \
          "  ldr x16, [x16, #:lo12:sessions_stand_ins+" place "]\n  br x16\n");
#endif

TEXT
place=0
for name in $names; do
  printf 'JUMP("%s", "%d")\n' "$name" "$place"
  place=$((place + 8))
done
