#!/bin/sh
# The C side of the tests: the headers by themselves, then every program of this folder against a
# built library, plain and under sanitizers, then LuaJIT.
#
#   tests/c/run.sh LIBDIR OUTDIR              all of it
#   tests/c/run.sh LIBDIR OUTDIR abort fork   only these programs
#
# LIBDIR holds libsessions.so. OUTDIR takes what is compiled. The last line is
# "N passed, N failed"; the exit code is 0 only when nothing failed.
set -u

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
include=$root/include
if [ $# -lt 2 ] || [ ! -e "$1/libsessions.so" ]; then
  echo "usage: $0 LIBDIR OUTDIR [program...], with LIBDIR/libsessions.so" >&2
  exit 2
fi
library=$(readlink -f "$1/libsessions.so")
mkdir -p "$2" || exit 2
out=$(cd "$2" && pwd)
shift 2

gcc=${GCC:-gcc}
clang=${CLANG:-$(command -v clang-14 || command -v clang || echo clang)}
passed=0
failed=0

TMPDIR=$(mktemp -d) || exit 2 # also for the programs: what they leave behind is seen at the end
export TMPDIR
trap 'rm -rf "$TMPDIR"' EXIT

# The name in the soname and the plain one, whatever LIBDIR has.
lib=$out/lib
mkdir -p "$lib"
ln -sf "$library" "$lib/libsessions.so"
ln -sf "$library" "$lib/libsessions.so.0"

# expect NAME COMMAND...: counts one check, showing what the command said when it fails.
expect() {
  name=$1
  shift
  if "$@" >"$out/expect.log" 2>&1; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    echo "FAILED $name"
    sed 's/^/  /' "$out/expect.log" | head -n 40
  fi
}

# run NAME COMMAND...: a program that ends with "name: N passed, N failed".
run() {
  name=$1
  shift
  timeout 300 "$@" >"$out/$name.log" 2>&1
  code=$?
  line=$(grep -a -E '^[a-z]+: [0-9]+ passed, [0-9]+ failed$' "$out/$name.log" | tail -n 1)
  if [ -z "$line" ]; then
    failed=$((failed + 1))
    echo "$name: CRASHED with exit code $code"
    tail -n 40 "$out/$name.log" | sed 's/^/  /'
    return
  fi
  counts=${line#*: }
  good=${counts%% *}
  bad=${counts#*, }
  bad=${bad%% *}
  if [ "$code" -ne 0 ] && [ "$bad" -eq 0 ]; then
    bad=1 # a sanitizer's finding, or a crash on the way out
  fi
  passed=$((passed + good))
  failed=$((failed + bad))
  echo "$name: $good passed, $bad failed"
  if [ "$bad" -ne 0 ]; then
    grep -a -v '^- ' "$out/$name.log" | head -n 120 | sed 's/^/  /'
  fi
}

strict="-pedantic-errors -Wall -Wextra -Werror"
programs="types handles errors store session list delete abort share backup events streams cursor files branches
  locks watch queue buttons jobs structs badinput fork threads twoprocs host damage transcript plue
  signals environment limits refused renamed boundary"

# ---- the headers --------------------------------------------------------------------------------

headers="sessions.h sessions/types.h sessions/store.h sessions/session.h sessions/events.h
  sessions/coordination.h plue_session.h"

check_headers() {
  for header in $headers; do
    for standard in c99 c11 c17; do
      expect "gcc $standard $header" $gcc -std=$standard $strict -Wpadded -Wstrict-prototypes \
        -I"$include" -x c -fsyntax-only "$include/$header"
      expect "clang $standard $header" $clang -std=$standard $strict -Wdocumentation \
        -Wpadded -Wstrict-prototypes -I"$include" -x c -fsyntax-only "$include/$header"
    done
    for standard in c++98 c++11 c++14 c++17 c++20 c++23; do
      expect "gcc $standard $header" $gcc -std=$standard $strict -Wold-style-cast \
        -I"$include" -x c++ -fsyntax-only "$include/$header"
    done
    for standard in c++98 c++11 c++14 c++17 c++20 c++2b; do
      expect "clang $standard $header" $clang -std=$standard $strict -Wdocumentation \
        -Wold-style-cast -I"$include" -x c++ -fsyntax-only "$include/$header"
    done
    expect "$header has at most 100 columns" awk 'length > 100 { exit 1 }' "$include/$header"
  done
  rm -rf "$out/modules"
  notes= # Clang reads CSessions.apinotes from version 17 on
  if $clang -fapinotes-modules -fsyntax-only -x c /dev/null 2>"$out/expect.log"; then
    notes=-fapinotes-modules
  fi
  expect "Clang module $notes" $clang -std=c99 $strict -fmodules $notes \
    "-fmodules-cache-path=$out/modules" -I"$include" -fsyntax-only "$here/module.c"
  expect "NULL goes where the headers say, and nowhere else" \
    "$here/nullability.sh" "$include" "$out" $clang
  # Clang reads CSessions.apinotes from version 17 on.
  newer=$(for n in 25 24 23 22 21 20 19 18 17; do command -v clang-$n; done | head -n 1)
  if [ -n "$newer" ]; then
    rm -rf "$out/modules.noted"
    expect "NULL goes where the module says, and nowhere else" "$here/nullability.sh" "$include" \
      "$out" "$newer" -fmodules -fapinotes-modules "-fmodules-cache-path=$out/modules.noted"
  else
    echo "CSessions.apinotes: not read, there is no Clang 17 or newer"
  fi
  expect "the module was built" sh -c "ls '$out'/modules/*/CSessions-*.pcm"
  expect "sessions_cdef.h is C" $gcc -std=c99 $strict -include stddef.h -include stdint.h -x c \
    -fsyntax-only "$include/sessions_cdef.h"
  "$root/tools/cdef.sh" >"$out/sessions_cdef.h"
  expect "sessions_cdef.h is up to date" diff "$out/sessions_cdef.h" "$include/sessions_cdef.h"
}

# name, then the position of each pointer among the parameters, then "returns" for a pointer.
pointers_declared() {
  $gcc -E -P -DSESSION_API= -DPLUE_API= -I"$include" -include "$include/sessions.h" \
    "$include/plue_session.h" | tr -s '\n ' '  ' | sed 's/; */;\n/g' |
    grep -E '(session|plue)_[a-z_]+\(' | grep -v typedef |
    sed -E 's/^(.*[ *])((session|plue)_[a-z_]+)\((.*)\);$/\2|\1|\4/' |
    awk -F'|' '{
      line = $1
      count = split($3, parameters, ",")
      for (i = 1; i <= count; ++i) if (parameters[i] ~ /\*/) line = line " " (i - 1)
      if ($2 ~ /\*/) line = line " returns"
      print line
    }' | sort
}

pointers_noted() {
  awk '
    /^- Name:/ { if (name) print name line returns; name = $3; line = ""; returns = "" }
    /NullabilityOfRet: [NO]$/ { returns = " returns" }
    /- Position:/ { position = $3 }
    /  Nullability: [NO]$/ { line = line " " position }
    /  Nullability: \[/ { for (i = 3; i < NF; ++i) line = line " " (i - 3) }
    END { print name line returns }' "$include/CSessions.apinotes" | sort
}

check_completeness() {
  pointers_declared >"$out/pointers.declared"
  pointers_noted >"$out/pointers.noted"
  expect "CSessions.apinotes covers every pointer" \
    diff "$out/pointers.declared" "$out/pointers.noted"
  expect "declarations were found" test "$(wc -l <"$out/pointers.declared")" -ge 102
  for name in $(sed 's/ .*//' "$out/pointers.declared"); do
    expect "a program calls $name" grep -q -E "$name( ?\\(|;)" "$here"/*.c
  done
  for name in $(grep -h -o -E 'session_[a-z_]+\(session(_store|_stream|_cursor|_job|_watch)?_t \*' \
    "$include"/sessions/*.h | sed 's/(.*//'); do
    expect "handles.c tries $name" grep -q "{\"$name\"," "$here/handles.c"
  done
}

# ---- the programs -------------------------------------------------------------------------------

# build NAME PROGRAM COMPILER FLAGS...: leaves $out/PROGRAM.NAME
build() {
  kind=$1
  program=$2
  shift 2
  expect "$kind: compile $program.c" "$@" -I"$include" "$here/$program.c" \
    -o "$out/$program.$kind" -pthread -L"$lib" -lsessions "-Wl,-rpath,$lib"
}

run_programs() {
  for program in "$@"; do
    rm -rf "$out/$program".*
    if [ "$program" = boundary ]; then
      run_boundary
      continue
    fi
    build c99 "$program" $gcc -std=c99 $strict -O1 -g
    build cxx "$program" $clang -x c++ -std=c++17 $strict -O1 -g
    build asan "$program" $clang -std=c99 $strict -O1 -g -fsanitize=address,undefined \
      -fno-sanitize-recover=undefined
    build tsan "$program" $clang -std=c99 $strict -O1 -g -fsanitize=thread \
      "$here/tsan_signals.c" -ldl
    expect "gcc c++11: $program.c" $gcc -x c++ -std=c++11 $strict -I"$include" -fsyntax-only \
      "$here/$program.c"
    expect "gcc c++20: $program.c" $gcc -x c++ -std=c++20 $strict -I"$include" -fsyntax-only \
      "$here/$program.c"
    expect "clang c99: $program.c" $clang -std=c99 $strict -I"$include" -fsyntax-only \
      "$here/$program.c"

    run "$program.c99" "$out/$program.c99"
    run "$program.cxx" "$out/$program.cxx"
    # The leak checker stops all threads, which the runtime's own stopping of threads cannot stand;
    # the runtime also keeps its heap until the process ends.
    ASAN_OPTIONS=detect_leaks=0 run "$program.asan" "$out/$program.asan"
    # Address space randomization of newer kernels is more than this ThreadSanitizer can map.
    TSAN_OPTIONS="suppressions=$here/tsan.supp die_after_fork=0 atexit_sleep_ms=0" \
      run "$program.tsan" setarch -R "$out/$program.tsan"
  done
}

# The C half of the library without the other: nothing here runs in the runtime.
run_boundary() {
  expect "c99: build boundary" "$here/half.sh" "$out/boundary.c99" $gcc -O1 -g
  run boundary.c99 "$out/boundary.c99/boundary"
  expect "asan: build boundary" "$here/half.sh" "$out/boundary.asan" $clang -O1 -g \
    -fsanitize=address,undefined -fno-sanitize-recover=undefined
  run boundary.asan "$out/boundary.asan/boundary"
}

# A real full disk needs a mount of its own, in a mount namespace that goes with the program.
run_full_disk() {
  build c99 fulldisk $gcc -std=c99 $strict -O1 -g
  folder=$(mktemp -d)
  if unshare -m mount -t tmpfs tmpfs "$folder" 2>"$out/expect.log"; then
    run fulldisk.c99 unshare -m sh -c \
      'mount -t tmpfs -o size=48m,mode=700,nr_inodes=4000 tmpfs "$2" && exec "$1" "$2"' sh \
      "$out/fulldisk.c99" "$folder"
  else
    echo "fulldisk: not run, this machine allows no mount"
  fi
  rmdir "$folder"
}

run_luajit() {
  expect "LuaJIT is installed" command -v luajit
  folder=$(mktemp -d)
  run cdef luajit "$here/cdef.lua" "$include/sessions_cdef.h" "$library" "$folder"
  rm -rf "$folder"
}

if [ $# -gt 0 ]; then
  run_programs "$@"
else
  check_headers
  check_completeness
  echo "headers: $passed passed, $failed failed"
  run_programs $programs
  run_full_disk
  run_luajit
fi
expect "nothing is left behind in the temporary folder" rmdir "$TMPDIR"

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
