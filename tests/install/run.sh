#!/usr/bin/env bash
# Installs into a temporary prefix and uses what lies there as any program would: with pkg-config,
# with CMake, from a staged root, and after the prefix was moved. Ends with "N passed, N failed".
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

root=$PWD
cc=${CC:-cc}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
version=$(sed -n 's:.*<Version>\(.*\)</Version>.*:\1:p' Directory.Build.props)
prefix=$work/prefix
passed=0
failed=0

# Runs one test, a function or a command; its output is shown when it fails.
check() {
    local name=$1
    shift
    if (set -e; "$@") >"$work/log" 2>&1; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        printf 'FAILED %s\n' "$name"
        cat "$work/log"
    fi
}

# Compiles a C file as the manual says and runs it on a store of its own.
compile_and_run() {
    local source=$1 at=$2 flags
    flags=$(PKG_CONFIG_PATH=$at/lib/pkgconfig pkg-config --cflags --libs sessions) || return
    rm -rf "$work/app" "$work/store"
    # shellcheck disable=SC2086 # flags are many words
    "$cc" -Wall -Wextra -Werror "$source" -o "$work/app" $flags || return
    (cd "$work" && LD_LIBRARY_PATH=$at/lib ./app "$work/store") || return
}

lays_out_every_file() {
    local name
    for name in include/sessions.h include/plue_session.h include/module.modulemap include/CSessions.apinotes \
        include/sessions_cdef.h include/sessions/types.h include/sessions/store.h include/sessions/session.h \
        include/sessions/events.h include/sessions/coordination.h lib/libsessions.so lib/libsessions.so.0 \
        "lib/libsessions.so.$version" lib/pkgconfig/sessions.pc lib/cmake/sessions/sessionsConfig.cmake \
        lib/cmake/sessions/sessionsConfigVersion.cmake; do
        [ -f "$1/$name" ] || { printf 'missing: %s\n' "$name"; return 1; }
    done
    [ "$(readlink "$1/lib/libsessions.so")" = "libsessions.so.$version" ] || return 1
    [ "$(readlink "$1/lib/libsessions.so.0")" = "libsessions.so.$version" ] || return 1
    if grep -rIl -e "$1" -e "$root" "$1"; then printf 'these name a folder of this machine\n'; return 1; fi
}

# What is bound is bound at load time and read-only then; no stack is run, no code written. What else
# was asked of the compilers is seen in their objects, by build.sh lib.
is_hardened() {
    local dynamic segments
    dynamic=$(readelf -dW "$1") || return
    segments=$(readelf -lW "$1") || return
    grep -q 'FLAGS.*BIND_NOW' <<<"$dynamic" || return 1
    grep -q GNU_RELRO <<<"$segments" || return 1
    grep -Eq 'GNU_STACK +(0x0+ +){5}RW +' <<<"$segments" || return 1
    ! grep -q TEXTREL <<<"$dynamic" || return 1
    grep -q __stack_chk_fail <<<"$(nm -D --undefined-only "$1")" || return 1
}

loads_under_its_soname() { grep -q 'NEEDED.*\[libsessions.so.0\]' <<<"$(readelf -d "$work/app")"; }

with_pkg_config() {
    [ "$(compile_and_run tests/install/consumer/consumer.c "$1")" = "$version" ] || return 1
    [ "$(PKG_CONFIG_PATH=$1/lib/pkgconfig pkg-config --modversion sessions)" = "$version" ] || return 1
}

# Nothing to install at run time: what a program that uses a store has loaded in the end, also what
# the library asks for late by name, is the C library.
loads_nothing_else() {
    rm -rf "$work/store" "$work"/loaded.*
    LD_LIBRARY_PATH=$prefix/lib LD_DEBUG=files LD_DEBUG_OUTPUT=$work/loaded "$work/app" "$work/store" || return
    grep -ho 'calling init: .*' "$work"/loaded.* | sed 's:.*/::' | sort -u >"$work/names" || return
    grep -q '^libsessions' "$work/names" || { printf 'the loader told nothing\n'; return 1; }
    if grep -Ev '^(libsessions|libc|libm|libdl|libpthread|librt|ld-)' "$work/names"; then
        printf 'are loaded as well\n'
        return 1
    fi
}

with_cmake() {
    rm -rf "$work/cmake" "$work/store"
    cmake -S tests/install/consumer -B "$work/cmake" -DCMAKE_C_COMPILER="$cc" -DCMAKE_PREFIX_PATH="$1" || return
    cmake --build "$work/cmake" || return
    [ "$("$work/cmake/consumer" "$work/store")" = "$version" ] || return 1
}

cmake_refuses_another_series() {
    mkdir -p "$work/other"
    printf '%s\n' 'cmake_minimum_required(VERSION 3.16)' 'project(other LANGUAGES C)' \
        "find_package(sessions $1 REQUIRED CONFIG)" >"$work/other/CMakeLists.txt"
    ! cmake -S "$work/other" -B "$work/other/$1" -DCMAKE_C_COMPILER="$cc" -DCMAKE_PREFIX_PATH="$prefix" || return 1
    grep -q sessionsConfig.cmake "$work/log" || return 1
}

# The README's program is the first block of C in it.
readme_program_works() {
    sed -n '/^```c$/,/^```$/p' README.md | sed '/^```/d' >"$work/readme.c"
    [ -s "$work/readme.c" ] || { printf 'README.md shows no C program\n'; return 1; }
    compile_and_run "$work/readme.c" "$prefix" || return
}

quickstart_works() {
    compile_and_run examples/c/quickstart.c "$prefix" || return
}

staged() {
    DESTDIR=$work/stage ./build.sh install --prefix /usr/local || return
    lays_out_every_file "$work/stage/usr/local" || return
}

moved() {
    mkdir -p "$work/moved to"
    mv "$prefix" "$work/moved to/sessions" || return
    with_cmake "$work/moved to/sessions" || return
    mv "$work/moved to/sessions" "$work/elsewhere" || return
    with_pkg_config "$work/elsewhere" || return
}

# Not /lib/ld-musl-*, which Debian's package musl lays beside glibc.
the_compiler_says_which_c_library() {
    local own other
    own=$(tools/rid.sh "$cc") || return
    if getconf GNU_LIBC_VERSION; then [ "$own" = "${own/musl-/}" ] || return 1; fi
    mkdir -p "$work/musl" # whose features.h is no glibc's
    : >"$work/musl/features.h"
    printf '#!/bin/sh\nexec "%s" -nostdinc -isystem "%s" "$@"\n' "$cc" "$work/musl" >"$work/musl-cc"
    chmod +x "$work/musl-cc"
    other=$(tools/rid.sh "$work/musl-cc") || return
    case $other in linux-musl-x64 | linux-musl-arm64) ;; *) printf '%s\n' "$other"; return 1 ;; esac
}

check 'a loader of musl beside glibc is no musl system' the_compiler_says_which_c_library
check 'install runs' ./build.sh install --prefix "$prefix"
check 'install lays out every file' lays_out_every_file "$prefix"
check 'the library is hardened' is_hardened "$prefix/lib/libsessions.so"
check 'a program builds with pkg-config and runs' with_pkg_config "$prefix"
check 'a program asks for the library by its soname' loads_under_its_soname
check 'a program loads no library but those of C' loads_nothing_else
check 'a program builds with CMake and runs' with_cmake "$prefix"
check 'CMake refuses a newer version' cmake_refuses_another_series 0.2
check 'CMake refuses the next series' cmake_refuses_another_series 1.0
check 'the program in the README runs' readme_program_works
check 'the quickstart runs' quickstart_works
check 'DESTDIR is honoured' staged
check 'a prefix can be moved' moved

printf '%s passed, %s failed\n' "$passed" "$failed"
[ "$failed" = 0 ]
