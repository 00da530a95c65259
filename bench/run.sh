#!/usr/bin/env bash
# Builds the measuring programs against a library, runs them on this disk, prints one table and
# writes it with the machine's facts:  bench/run.sh LIBDIR OUTDIR [SECTION...]
# Sections are durable, reading, opening, tail, transcript, calls, footprint, cursor, growth, stream, together
# and plain; some of them alone are only printed.
# Two libraries in turn (bench/pairs.c):  bench/run.sh pairs OLD NEW OUTDIR [SECTION...]
set -euo pipefail

# The file itself, of a library or of a folder with one.
library_file() {
    if [ -d "$1" ]; then readlink -f "$1/libsessions.so"; else readlink -f "$1"; fi
}

pair=()
if [ "${1:-}" = pairs ]; then
    pair=("$(library_file "$2")" "$(library_file "$3")")
    for file in "${pair[@]}"; do
        [ -f "$file" ] || { printf 'bench: no library %s\n' "$file" >&2; exit 1; }
    done
    set -- "$(dirname "${pair[1]}")" "${@:4}"
fi
lib=$(cd "$1" && pwd)
mkdir -p "$2"
out=$(cd "$2" && pwd)
shift 2
cd "$(dirname "${BASH_SOURCE[0]}")/.."

cc=${CC:-cc}
flags=(-std=c11 -O2 -D_GNU_SOURCE -Wall -Wextra -Werror -Iinclude)
"$cc" "${flags[@]}" bench/{main,harness,fill,pairs,ours,sqlite,plain,talk,together}.c \
    -o "$out/bench" "$(library_file "${pair[1]:-$lib}")" "-Wl,--enable-new-dtags,-rpath,$lib" -lsqlite3 -lpthread
"$cc" "${flags[@]}" bench/footprint.c -o "$out/footprint" -ldl

folder=$out/data
rm -rf "$folder"
trap 'rm -rf "$folder"' EXIT

# Where the folder lies, and whether its file system keeps a journal.
file_system() {
    local device kind options journal=
    device=$(df --output=source "$out" | tail -n 1)
    kind=$(df --output=fstype "$out" | tail -n 1)
    options=$(awk -v device="$device" '$1 == device { print $4; exit }' /proc/mounts)
    if [ "$kind" = tmpfs ]; then
        printf 'bench: %s is memory, not a disk; nothing measured there would mean anything\n' "$out" >&2
        exit 1
    fi
    if [ "$kind" = ext4 ]; then
        journal=', without a journal'
        if compgen -G "/proc/fs/jbd2/$(basename "$device")-*" >/dev/null; then journal=', with a journal'; fi
    fi
    printf '%s%s (%s)' "$kind" "$journal" "$options"
}

place=$(file_system)
processor=$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)
sqlite=$(printf '#include <sqlite3.h>\nSQLITE_VERSION\n' | "$cc" -E -P -x c - | tail -n 1 | tr -d '"')
load=$(cut -d ' ' -f 1 /proc/loadavg)
library=$(readlink -f "$lib/libsessions.so")
started=$(date +%s)

if [ "${#pair[@]}" != 0 ]; then
    # Under the names that a program asks for and links with.
    for i in 0 1; do
        mkdir -p "$out/pair/$i"
        ln -sfn "${pair[i]}" "$out/pair/$i/libsessions.so"
        ln -sfn "${pair[i]}" "$out/pair/$i/libsessions.so.0"
    done
    LD_LIBRARY_PATH=$out/pair/1 "$out/bench" pairs "$folder" "$out/pair/0" "$out/pair/1" "$out/footprint" "$@"
    exit
fi

"$out/bench" all "$folder" "$library" "$out/footprint" "$@" | tee "$out/table.md"
[ $# = 0 ] || exit 0

{
    cat bench/RESULTS.head.md
    cat "$out/table.md"
    cat <<TEXT

## The machine

| | |
|---|---|
| measured | $(date -u +%Y-%m-%d), in $(($(date +%s) - started)) s, load average $load at the start |
| system | $(uname -sr), $(nproc) cores, ${processor:-$(uname -m)} |
| file system | $place |
| library | $(wc -c <"$library") bytes |
| SQLite | $sqlite |
| compiler of the programs | $("$cc" --version | head -n 1), -O2 |

TEXT
    cat bench/RESULTS.tail.md
} >bench/RESULTS.md
printf 'written to bench/RESULTS.md\n'
