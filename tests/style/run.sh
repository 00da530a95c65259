#!/usr/bin/env bash
# The house rules that a machine can check, over every tracked file. Each rule is one test; ends
# with "N passed, N failed".
# Not -e: grep that finds nothing is what most rules hope for.
set -u
shopt -s lastpipe
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1

passed=0
failed=0

# A rule takes what broke it on standard input, a line each.
rule() {
    local broken
    broken=$(cat)
    if [ -z "$broken" ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        printf 'FAILED %s\n' "$1"
        head -n 12 <<<"$broken"
    fi
}

# Tracked files, and new ones that are not ignored, as far as they still exist.
files() {
    git ls-files --cached --others --exclude-standard -- "$@" |
        while read -r name; do [ ! -f "$name" ] || printf '%s\n' "$name"; done
}

# Lines of those files that match; nothing is fine.
find_in() {
    local pattern=$1 list
    shift
    list=$(files "$@")
    [ -z "$list" ] || { xargs -d '\n' grep -nHIE "$pattern" <<<"$list" || true; }
}

[ "$(files '*.sh' | wc -l)" -ge 3 ] || { printf 'no files were found; is this a git clone?\n'; exit 1; }

all=('*.cs' '*.csproj' '*.props' '*.c' '*.h' '*.cc' '*.cpp' '*.sh' '*.ps1' '*.md' '*.in' '*.txt' '*.apinotes'
    '*.modulemap' '*.rsp')
code=('*.cs' '*.c' '*.h' '*.cc' '*.cpp' '*.sh' '*.ps1')
engine=('src/*.cs')
# Written by tools, in their form.
tools_own=(':!bindings/csharp/*.cs' ':!include/sessions_cdef.h')

find_in $'\t|\r| +$' "${all[@]}" "${tools_own[@]}" | rule 'no tabs, no carriage returns, no spaces at the end of a line'
find_in '^.{121,}' "${code[@]}" "${tools_own[@]}" | rule 'lines of code have at most 120 columns'
find_in '^.{101,}' 'include/*.h' "${tools_own[@]}" | rule 'lines of the headers have at most 100 columns'
files '*.cs' "${tools_own[@]}" | xargs -d '\n' grep -LE '^namespace [A-Za-z.]+;|^\[assembly|^global using' |
    while read -r name; do grep -qE '\b(class|struct|enum|record|interface)\b' "$name" && printf '%s\n' "$name"; done |
    rule 'namespaces are file-scoped'
files 'src/*.cs' | xargs -d '\n' wc -l | awk '$2 != "total" && $1 > 450 { print $2 ": " $1 " lines" }' |
    rule 'files of the engine stay small'
find_in 'TO''DO|FIX''ME|HA''CK|NotImplemented''Exception' "${code[@]}" | rule 'nothing is left for later'
find_in 'Thread\.Sle''ep\(' 'src/*.cs' 'tests/*.cs' | rule 'nothing waits by the clock'
find_in 'catch *(\(Exception[^)]*\))? *\{ *\}' '*.cs' | rule 'no exception is swallowed'
banned='\bConsole\.|System\.Diagnostics\.Process\b|PosixSignalRegistration|FileMode\.Append|: EventSource'
find_in "$banned" "${engine[@]}" |
    rule 'the engine uses nothing that its host would pay for'
find_in '(^|[^[:alnum:]])/(ro''ot|wo''rk)/' "${all[@]}" '.ci/*' |
    rule 'no file names a folder of the machine it was written on'
for script in $(files '*.sh' .ci/run); do bash -n "$script" 2>&1; done | rule 'scripts are well-formed'
files build.sh .ci/run | while read -r name; do [ -x "$name" ] || printf '%s\n' "$name"; done |
    rule 'commands can be executed'

commands=$(sed -n 's/^cmd_\([a-z]*\)() {$/\1/p' build.sh)
for command in $commands; do
    grep -q "^  $command" <<<"$(bash build.sh help)" || printf 'help: %s\n' "$command"
    grep -q "^| \`./build.sh $command" CONTRIBUTING.md || printf 'CONTRIBUTING.md: %s\n' "$command"
done | rule 'every command is documented'

# Links of documents lead somewhere; those to other sites are not followed.
files '*.md' | while read -r name; do
    grep -oE '\]\([^)# ]+' "$name" | sed 's/^](//' | grep -v '^[a-z]*:' | while read -r target; do
        [ -e "$(dirname "$name")/$target" ] || printf '%s: %s\n' "$name" "$target"
    done
done | rule 'links in documents lead somewhere'

# One name for one thing: the version stands in the root props and in the changelog.
version=$(sed -n 's:.*<Version>\(.*\)</Version>.*:\1:p' Directory.Build.props)
{ grep -q "^## ${version//./\\.}" CHANGELOG.md || printf 'no section for %s\n' "$version"; } |
    rule 'the changelog knows the version'

printf '%s passed, %s failed\n' "$passed" "$failed"
[ "$failed" = 0 ]
