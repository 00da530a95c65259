#!/bin/sh
# Writes include/sessions_cdef.h to standard output: the declarations of sessions.h, read by
# LuaJIT's ffi.cdef and Python's cffi, which have no preprocessor. Macros with an integer value
# become constants; those with a string or with arguments are left out.
#
#   tools/cdef.sh >include/sessions_cdef.h
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# Empty standard headers: the hosts know size_t and the fixed-width integers by themselves.
: >"$scratch/stddef.h"
: >"$scratch/stdint.h"

preprocess() {
  ${CC:-gcc} -E -P "$@" -std=c99 -undef -nostdinc -DSESSION_API= -DSESSION_NULLABLE= \
    -DSESSION_NONNULL= -isystem "$scratch" \
    -I"$root/include" "$root/include/sessions.h"
}

cat <<'HEAD'
/* sessions.h after the preprocessor, for LuaJIT's ffi.cdef and Python's cffi.
   Written by tools/cdef.sh; do not edit. The comments are in the headers. */
HEAD

preprocess -dD | awk '
  /^#define SESSION_[A-Z0-9_]+ / {
    name = $2
    value = $0
    sub(/^#define [A-Z0-9_]+ /, "", value)
    gsub(/[() ]/, "", value)
    if (value !~ /^-?(0x[0-9A-Fa-f]+|[0-9]+)u?$/) next
    type = value ~ /u$/ ? "uint32_t" : "int32_t"
    sub(/u$/, "", value)
    print "static const " type " " name " = " value ";"
  }'
# Laid out anew, so that the file does not depend on how a preprocessor treats white space.
preprocess | tr -s " \n" " " | sed -e "s/; */;\n/g" -e "s/{ */{\n/g" -e "s/\* /*/g" -e "s/( /(/g" | awk '
  /^}/ { inside = 0 }
  { sub(/^ */, inside ? "  " : "") }
  { while (length > 100) {
      match(substr($0, 1, 99), /.*,/)
      print substr($0, 1, RLENGTH)
      $0 = "   " substr($0, RLENGTH + 1)
    } }
  /[^ ]/ { print }
  /\{$/ { inside = 1 }'
