#!/usr/bin/env bash
# The day of an editor (day.h), against a built library.
#
#   tests/day/run.sh LIBDIR OUTDIR SECONDS [soak]
#
# OUTDIR takes the program. The last line is "N passed, N failed".
set -u

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
if [ $# -lt 3 ] || [ ! -e "$1/libsessions.so" ]; then
    echo "usage: $0 LIBDIR OUTDIR SECONDS [soak], with LIBDIR/libsessions.so" >&2
    exit 2
fi
library=$(readlink -f "$1/libsessions.so")
mkdir -p "$2/lib" || exit 2
out=$(cd "$2" && pwd)
shift 2

folder=$(mktemp -d) || exit 2
trap 'rm -rf "$folder"' EXIT
ln -sf "$library" "$out/lib/libsessions.so"
ln -sf "$library" "$out/lib/libsessions.so.0"

if ! "${CC:-cc}" -std=c99 -O1 -g -Wall -Wextra -Werror -I"$here/../../include" "$here"/*.c -o "$out/day" \
    -L"$out/lib" -lsessions "-Wl,-rpath,$out/lib"; then
    echo '0 passed, 1 failed'
    exit 1
fi
"$out/day" "$folder/store" "$@" | tee "$out/day.log" | sed 's/^day: //'
grep -q '^day: [0-9]* passed, 0 failed$' "$out/day.log" || {
    grep -q '^day: ' "$out/day.log" || echo '0 passed, 1 failed'
    exit 1
}
