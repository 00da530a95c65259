#!/bin/sh
# Builds the C half of the library by itself, and boundary.c with it: objects and the program
# `boundary` in OUTDIR. What boundary.c lets fail goes through it.
#
#   tests/c/half.sh OUTDIR COMPILER [FLAG...]
set -eu

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
out=$1
compiler=$2
shift 2
half=$root/src/Sessions.Native/c
mkdir -p "$out"

objects=
for source in "$half"/*.c; do
  object=$out/$(basename "$source" .c).o
  "$compiler" -std=gnu11 "$@" -Wall -Wextra -Werror -fPIC -I"$root/include" -c "$source" -o "$object"
  objects="$objects $object"
done
# shellcheck disable=SC2086 # many objects
"$root/tools/stand-ins.sh" $objects >"$out/stand_ins.c"
"$compiler" -std=gnu11 "$@" -Wall -Wextra -Werror -fPIC -c "$out/stand_ins.c" -o "$out/stand_ins.o" \
  -fno-profile-arcs -fno-test-coverage
# Without coverage of its own: a fork in measured code forgets what was counted in the child.
"$compiler" -std=gnu11 "$@" -pedantic-errors -Wall -Wextra -Werror -I"$root/include" -I"$half" \
  -c "$here/boundary.c" -o "$out/boundary.o" -fno-profile-arcs -fno-test-coverage
wraps=
for name in pthread_create calloc realloc mmap pthread_atfork pthread_key_create \
  pthread_setspecific pthread_mutex_lock pthread_attr_init pthread_attr_setstacksize sem_init \
  sem_wait secure_getenv; do
  wraps="$wraps -Wl,--wrap=$name"
done
# shellcheck disable=SC2086
"$compiler" "$@" "$out/boundary.o" $objects "$out/stand_ins.o" $wraps -pthread -o "$out/boundary"
