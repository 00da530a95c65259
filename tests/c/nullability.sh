#!/bin/sh
# Holds what the headers, or the module with CSessions.apinotes, say of NULL against CSessions.apinotes:
#
#   tests/c/nullability.sh INCLUDE OUTDIR CLANG [FLAGS...]
#
# A NULL for each pointer parameter that may have none must bring a warning, and for each other no warning; what a
# call returns, and each pointer in a struct, goes where there must be one, and warns where it may be NULL.
set -eu

include=$1
out=$2
shift 2

# Each declaration on a line, without what compilers alone read.
declarations() {
  ${GCC:-gcc} -E -P -DSESSION_API= -DPLUE_API= -DSESSION_NULLABLE= -DSESSION_NONNULL= -I"$include" \
    -include "$include/sessions.h" "$include/plue_session.h" | tr -s '\n ' '  ' |
    sed 's/\([;{}]\) */\1\n/g'
}

# function|position|O or N; the position of the result is "ret".
noted() {
  awk '
    /^- Name:/ { name = $3 }
    /NullabilityOfRet:/ { print name "|ret|" $2 }
    /^  Nullability:/ {
      gsub(/[][,]/, " ")
      for (i = 2; i <= NF; ++i) if ($i != "S") print name "|" (i - 2) "|" $i
    }
    /- Position:/ { position = $3 }
    /^    Nullability:/ { print name "|" position "|" $2 }' "$include/CSessions.apinotes"
}

# The cases, one a line, each with what is expected of it.
cases() {
  declarations | grep -E '^ *(const )?[a-z_0-9]+ \**(session|plue)_[a-z_]+\(.*\);$' |
    sed -E 's/^ *(.*[ *])((session|plue)_[a-z_]+)\((.*)\);$/\2|\1|\4/' >"$out/functions"
  noted >"$out/noted"
  awk -F'|' '
    NR == FNR { kind[$1 "|" $2] = $3; next }
    {
      count = split($3, parameters, ", *")
      for (i = 0; i < count; ++i) {
        if (!(($1 "|" i) in kind)) continue
        list = ""; call = ""
        for (k = 1; k <= count; ++k) {
          name = parameters[k]; sub(/.*[ *]/, "", name)
          list = list (k > 1 ? ", " : "") parameters[k]
          call = call (k > 1 ? ", " : "") (k == i + 1 ? "NULL" : name)
        }
        print (kind[$1 "|" i] == "N" ? "warn" : "fine") "|void case_" ++n "(" list "); void case_" n "(" list ") { " \
          $1 "(" call "); } /* " $1 " " i " */"
      }
      if (($1 "|ret") in kind) {
        call = ""
        for (k = 1; k <= count; ++k) {
          name = parameters[k]; sub(/.*[ *]/, "", name)
          call = call (k > 1 ? ", " : "") name
        }
        if ($3 == "void") call = ""
        print (kind[$1 "|ret"] == "O" ? "warn" : "fine") "|void case_" ++n "(" $3 "); void case_" n "(" $3 ") { " \
          "const void *_Nonnull p = " $1 "(" call "); (void)p; } /* " $1 " result */"
      }
    }' "$out/noted" "$out/functions"
  declarations | awk '
    /^ *typedef struct [a-z_]+ \{$/ { tag = $3; next }
    /^ *\}/ { tag = "" }
    tag != "" && (/\*/ || /session_wake_fn/) {
      field = $0; sub(/;.*/, "", field); sub(/.*[ *]/, "", field)
      type = /session_wake_fn/ ? "session_wake_fn _Nonnull" : "const void *_Nonnull"
      expected = tag == "session_error" ? "fine" : "warn"
      print expected "|void field_" ++n "(const struct " tag " *s); void field_" n "(const struct " tag " *s) { " \
        type " p = s->" field "; (void)p; } /* " tag "." field " */"
    }'
}

cases >"$out/cases"
{
  printf '#include <plue_session.h>\n#include <sessions.h>\n#include <stddef.h>\n'
  cut -d '|' -f 2- "$out/cases"
} >"$out/nullability.c"
awk -F'|' '$1 == "warn" { print NR + 3 }' "$out/cases" >"$out/nullability.expected"
[ "$(wc -l <"$out/nullability.expected")" -ge 100 ] || { echo "few cases were found"; exit 1; }
"$@" -std=c99 -I"$include" -Wnonnull -Wnullable-to-nonnull-conversion -fno-caret-diagnostics \
  -Wno-nullability-extension -fsyntax-only "$out/nullability.c" >"$out/nullability.log" 2>&1 ||
  { cat "$out/nullability.log"; exit 1; }
sed -n 's/^[^ ]*nullability\.c:\([0-9]*\):.*warning.*/\1/p' "$out/nullability.log" | sort -nu >"$out/nullability.found"
if ! diff "$out/nullability.expected" "$out/nullability.found" >"$out/nullability.diff"; then
  sed -n 's/^\([<>]\) \([0-9]*\)$/\1 \2/p' "$out/nullability.diff" | while read -r side line; do
    printf '%s %s\n' "$([ "$side" = '<' ] && echo 'no warning:' || echo 'a warning:')" \
      "$(sed -n "${line}s/.*\/\* \(.*\) \*\//\1/p" "$out/nullability.c")"
  done
  exit 1
fi
