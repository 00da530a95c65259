#!/usr/bin/env bash
# One documented command per task; `./build.sh help` lists them. What a command needs and this
# machine lacks is installed where that is allowed, and named with the exact command where not.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

root=$PWD
out=$root/out
lib=$out/lib
version=$(sed -n 's:.*<Version>\(.*\)</Version>.*:\1:p' Directory.Build.props)
major=${version%%.*}
configuration=${SESSIONS_TEST_CONFIGURATION:-Debug}

# No process of a build outlives it, and a build says only what matters.
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 DOTNET_CLI_USE_MSBUILD_SERVER=0
export MSBUILDDISABLENODEREUSE=1 UseSharedCompilation=false
build_flags=(-v q -m:1 -nodeReuse:false)

case $(uname -s) in
    Darwin) system=osx lib_file=libsessions.$version.dylib lib_links=(libsessions."$major".dylib libsessions.dylib) ;;
    *) system=linux lib_file=libsessions.so.$version lib_links=(libsessions.so."$major" libsessions.so) ;;
esac
lib_soname=${lib_links[0]}
lib_name=${lib_links[1]}

say() { printf '%s\n' "$*"; }
# A path as whoever called this script meant it.
from_caller() { case $1 in /*) printf '%s' "$1" ;; *) printf '%s' "$caller/$1" ;; esac }
fail() { printf 'build.sh: %s\n' "$*" >&2; exit 1; }

# A temporary folder that goes when this script ends, however it ends.
scratch=
trap '[ -z "$scratch" ] || rm -rf "$scratch"' EXIT
# Others may come through it, though they cannot look: tests work as a user without rights.
make_scratch() {
    scratch=$(mktemp -d)
    chmod 711 "$scratch"
}

usage() {
    cat <<TEXT
usage: ./build.sh COMMAND

  lib                     build the native library into out/lib; no warning of the trimmer or
                          the ahead-of-time compiler is let through
  run                     lib, then compile and run examples/c/quickstart.c in a temporary folder
  test                    every test; the last line is "N passed, N failed"
  test quick              the managed tests of single rooms and the style, in half a minute
  bench [SECTION...]      lib, then measure it against SQLite and plain JSON files on this disk;
                          writes bench/RESULTS.md. Sections alone are only printed: durable,
                          reading, opening, tail, transcript, calls, footprint, cursor,
                          growth, stream, together, plain
  bench pairs OLD NEW [SECTION...]
                          measure two libraries (files, or folders with a libsessions.so) in turn;
                          which rows of ours are slower by more than 3 %, beyond chance
  coverage [PART...]      which lines of src/Sessions no managed test reaches (engine); which lines
                          and branches of the export layer none does, where one is too many (exports)
  soak [MINUTES]          long random and crash runs (10 minutes unless told)
  soak day [MINUTES]      the day of an editor: three hosts, thousands of short commands, kills; nothing lost,
                          nothing grows, nothing slows down (20 minutes unless told, or SESSIONS_SOAK_MINUTES)
  bindings                regenerate bindings/csharp from the headers
  install --prefix DIR    lib, then the library, headers, sessions.pc and the CMake package
                          (DESTDIR is honoured; the prefix may be moved later)
  clean                   remove out/, bin/ and obj/
  help                    this text

environment: CC, CXX               compilers of the C programs (cc or gcc, c++ or g++)
             BROWSER               the browser that opens transcripts (chromium)
             SESSIONS_LIBRARY      test and bench use this library instead of building one
             BENCH_ROUNDS          of bench pairs (30)
             SESSIONS_TEST_CONFIGURATION   of the managed tests: Debug (checks invariants) or Release
TEXT
}

# ---- what this machine must have --------------------------------------------------------------

apt_updated=no

# Installs Debian packages, or says how and stops.
install_packages() {
    local command="apt-get install -y --no-install-recommends $*" sudo=()
    if [ "$(id -u)" != 0 ]; then sudo=(sudo -n); command="sudo $command"; fi
    command -v apt-get >/dev/null || fail "missing: $*. Install them with this system's package manager and try again."
    if [ "${#sudo[@]}" != 0 ] && ! sudo -n true 2>/dev/null; then
        fail "missing: $*. Run this and try again:  $command"
    fi
    say "installing $*"
    if [ $apt_updated = no ]; then
        "${sudo[@]}" apt-get -q -o DPkg::Lock::Timeout=120 update >&2 ||
            say "apt-get update failed; trying with what is known"
        apt_updated=yes
    fi
    "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=120 \
        install -y --no-install-recommends "$@" >&2 || fail "could not install $*. Run this and try again:  $command"
}

need_program() { command -v "$1" >/dev/null || install_packages "${@:2}"; }

# For what a test can do without: where it cannot be had, what needs it is skipped by name.
want_program() {
    command -v "$1" >/dev/null || (install_packages "${@:2}") || say "going on without $1"
}

# The first of the names that is a program; nothing when none is.
first_program() {
    local name
    for name in "$@"; do
        if command -v "$name" >/dev/null; then printf '%s' "$name"; return; fi
    done
}

need_dotnet() {
    local sdks=
    sdks=$(dotnet --list-sdks 2>/dev/null) || true
    grep -q '^10\.' <<<"$sdks" ||
        fail "missing: the .NET 10 SDK. Install it from https://dotnet.microsoft.com/download and try again."
}

need_cc() {
    cc=${CC:-$(first_program cc gcc clang)}
    [ -n "$cc" ] || { install_packages gcc libc6-dev binutils; cc=gcc; }
    printf '#include <stdlib.h>\nint main(void) { return EXIT_SUCCESS; }\n' | "$cc" -x c - -o /dev/null 2>/dev/null ||
        install_packages libc6-dev binutils
    rid=$(tools/rid.sh "$cc")
}

need_browser() {
    browser=${BROWSER:-$(first_program chromium chromium-browser google-chrome google-chrome-stable)}
    [ -n "$browser" ] || { install_packages chromium; browser=chromium; }
}

need_cxx() {
    cxx=${CXX:-$(first_program c++ g++ clang++)}
    [ -n "$cxx" ] || { install_packages g++; cxx=g++; }
}

# clang under any of its versioned names, with the runtime of its sanitizers.
need_clang() {
    local release
    local names=(clang clang-{16..13} clang-{25..17}) # what want_newer_clang gets takes no other's place
    clang=$(first_program "${names[@]}")
    [ -n "$clang" ] || { install_packages clang; clang=$(first_program "${names[@]}"); }
    printf 'int main(void) { return 0; }\n' | "$clang" -fsanitize=address -x c - -o /dev/null 2>/dev/null || {
        release=$("$clang" -dumpversion)
        [ $system = osx ] || install_packages "libclang-rt-${release%%.*}-dev"
    }
}

# One that reads CSessions.apinotes, which Clang does from version 17 on.
want_newer_clang() { [ -n "$(first_program clang-{25..17})" ] || want_program clang-19 clang-19; }

# ---- lib --------------------------------------------------------------------------------------

# What Native.targets asks of compiler and linker is there in what they made: everything is bound at load time and
# then read-only, no stack can be run, no code is written to; the C half guards its stacks and its jumps.
check_hardening() {
    local built=$1 objects=$2 dynamic segments object features
    dynamic=$(readelf -dW "$built")
    segments=$(readelf -lW "$built")
    grep -q 'FLAGS.*BIND_NOW' <<<"$dynamic" || fail "$built is bound late"
    ! grep -q TEXTREL <<<"$dynamic" || fail "$built writes to its code"
    grep -q GNU_RELRO <<<"$segments" || fail "$built keeps what was bound writable"
    grep -Eq 'GNU_STACK +(0x0+ +){5}RW +' <<<"$segments" || fail "$built wants a stack that can be run"
    grep -q __stack_chk_fail <<<"$(nm -u "$objects"/*.o)" || fail "the C half guards no stack"
    case $rid in *x64) features='IBT, SHSTK' ;; *) features='BTI, PAC' ;; esac
    for object in src/Sessions.Native/c/*.c; do
        object=$objects/$(basename "$object" .c).o
        grep -q "$features" <<<"$(readelf -nW "$object")" || fail "$object does not guard its jumps ($features)"
    done
}

# How many different messages of a build's log match. That a feed has no list of vulnerable packages is none.
count_messages() { { grep -Eo "$1" "$2" | grep -Ev 'NU190[05]' || true; } | sort -u | wc -l | tr -d ' '; }

cmd_lib() {
    local log=$out/lib.log published=$out/publish warnings built name
    need_dotnet
    need_cc
    [ $system = osx ] || need_program objcopy binutils
    mkdir -p "$out" "$lib"
    say "building $lib_file for $rid (SDK $(dotnet --version))"
    rm -rf "$published"
    if ! dotnet publish src/Sessions.Native -c Release -r "$rid" \
        -p:SessionsCompiler="$cc" -o "$published" -v minimal -m:1 -nodeReuse:false >"$log" 2>&1; then
        cat "$log" >&2
        warnings=$(count_messages '(warning|error) IL[0-9]{4}:.*' "$log")
        fail "the library was not built; $warnings trim and AOT warnings"
    fi
    warnings=$(count_messages 'warning [A-Z]+[0-9]+:.*' "$log")
    [ "$warnings" = 0 ] || { cat "$log" >&2; fail "$warnings warnings; none is let through"; }

    ! grep -Eq 'NU190[05]' "$log" || say "the feed has no list of vulnerable packages; they were not checked"
    built=$published/$lib_name
    [ -f "$built" ] || fail "publishing made no $lib_name"
    if [ $system != osx ]; then
        grep -q "SONAME.*\[$lib_soname\]" <<<"$(readelf -d "$built")" ||
            fail "$lib_name does not call itself $lib_soname"
        check_hardening "$built" "src/Sessions.Native/obj/Release/net10.0/$rid/native"
    fi
    # A new name and a rename: a program that runs with the old file keeps it whole.
    install -m 755 "$built" "$lib/.$lib_file.new"
    mv -f "$lib/.$lib_file.new" "$lib/$lib_file"
    for name in "${lib_links[@]}"; do ln -sfn "$lib_file" "$lib/$name"; done
    say "0 trim and AOT warnings; $(wc -c <"$lib/$lib_file" | tr -d ' ') bytes: out/lib/$lib_file"
}

# The library that test and bench work on: the one they were given, or one built now.
given_or_built_library() {
    if [ -n "${SESSIONS_LIBRARY:-}" ]; then
        [ -f "$SESSIONS_LIBRARY" ] || fail "SESSIONS_LIBRARY names no file: $SESSIONS_LIBRARY"
        lib=$(cd "$(dirname "$SESSIONS_LIBRARY")" && pwd)
    else
        cmd_lib
        SESSIONS_LIBRARY=$lib/$lib_name
    fi
    export SESSIONS_LIBRARY
}

# ---- run, install -----------------------------------------------------------------------------

cmd_run() {
    cmd_lib
    make_scratch
    "$cc" -std=c99 -Wall -Wextra -Iinclude examples/c/quickstart.c -L"$lib" -lsessions "-Wl,-rpath,$lib" \
        -o "$scratch/quickstart"
    say "running examples/c/quickstart.c"
    "$scratch/quickstart" "$scratch/store"
}

# Lays out what lib built, as any C library does. Nothing in it names the prefix.
install_into() {
    local prefix=$1 name
    mkdir -p "$prefix/lib/pkgconfig" "$prefix/lib/cmake/sessions" "$prefix/include"
    install -m 755 "$lib/$lib_file" "$prefix/lib/$lib_file"
    for name in "${lib_links[@]}"; do ln -sfn "$lib_file" "$prefix/lib/$name"; done
    (cd include && find . -type f ! -name '*.json') | while read -r name; do
        mkdir -p "$prefix/include/$(dirname "$name")"
        install -m 644 "include/$name" "$prefix/include/$name"
    done
    for name in packaging/*.in; do
        sed -e "s/@VERSION@/$version/g" -e "s/@FILE@/$lib_file/g" -e "s/@SONAME@/$lib_soname/g" "$name" \
            >"$out/$(basename "$name" .in)"
    done
    install -m 644 "$out/sessions.pc" "$prefix/lib/pkgconfig/"
    install -m 644 "$out/sessionsConfig.cmake" "$out/sessionsConfigVersion.cmake" "$prefix/lib/cmake/sessions/"
}

cmd_install() {
    local prefix=
    while [ $# != 0 ]; do
        case $1 in
            --prefix) [ $# -ge 2 ] || fail "--prefix needs a folder"; prefix=$2; shift 2 ;;
            --prefix=*) prefix=${1#--prefix=}; shift ;;
            *) fail "install does not know '$1'; see ./build.sh help" ;;
        esac
    done
    [ -n "$prefix" ] || fail "usage: ./build.sh install --prefix DIR"
    prefix=$(from_caller "$prefix")
    given_or_built_library
    install_into "${DESTDIR:-}$prefix"
    say "installed into ${DESTDIR:-}$prefix"
}

# ---- test, soak, bench, bindings --------------------------------------------------------------

passed=0
failed=0

# Adds one suite's counts. A suite that ran no test, or ended badly without naming a failed test,
# counts as one failure.
count_suite() {
    local name=$1 status=$2 suite_passed=${3:-0} suite_failed=${4:-0} skipped=${5:-0}
    if [ $((suite_passed + suite_failed)) = 0 ]; then
        say "-- $name: did not run (exit code $status)"
        failed=$((failed + 1))
        return
    fi
    if [ "$status" != 0 ] && [ "$suite_failed" = 0 ]; then
        say "-- $name: ended with exit code $status"
        suite_failed=1
    fi
    say "-- $name: passed $suite_passed, failed $suite_failed, skipped $skipped"
    passed=$((passed + suite_passed))
    failed=$((failed + suite_failed))
}

# The total of an attribute over all <assembly> elements of an xunit report.
report_count() {
    sed -n "s/.*<assembly [^>]*[[:space:]]$2=\"\([0-9]*\)\".*/\1/p" "$1" | awk '{ n += $1 } END { print n + 0 }'
}

# What stands behind its name and its seconds chooses tests.
managed_suite() {
    local name=$1 limit=$2 report=$out/test/$1.xml log=$out/test/$1.build.log status=0
    shift 2
    say "== $name"
    if ! TMPDIR=${scratch:+$scratch/build} dotnet build "tests/$name" -c "$configuration" "${build_flags[@]}" \
        >"$log" 2>&1; then
        cat "$log"
        count_suite "$name (build)" 1
        return
    fi
    timeout -k 10 "$limit" "tests/$name/bin/$configuration/net10.0/$name" -noLogo -noColor -xml "$report" \
        "$@" </dev/null || status=$?
    if [ -f "$report" ]; then
        count_suite "$name" $status "$(report_count "$report" passed)" \
            $(($(report_count "$report" failed) + $(report_count "$report" errors))) \
            "$(report_count "$report" skipped)"
    else
        count_suite "$name" $status
    fi
}

# A suite in bash; the counts are in its last line, "N passed, N failed".
script_suite() {
    local name=$1 limit=$2 log=$out/test/$1.log status=0 line
    shift 2
    say "== $name"
    if [ -f "$1" ]; then
        timeout -k 10 "$limit" bash "$@" </dev/null >"$log" 2>&1 || status=$?
    else
        status=127
        say "$1 is missing" >"$log"
    fi
    grep -Ev '^[0-9]+ passed, [0-9]+ failed$' "$log" || true
    line=$(grep -E '^[0-9]+ passed, [0-9]+ failed$' "$log" | tail -n 1) || true
    # shellcheck disable=SC2086 # two numbers, or nothing
    count_suite "$name" $status $(sed 's/ passed, / /; s/ failed//' <<<"$line")
}

# Rooms by themselves: no processes, kills, sweeps or hostile stores, and nothing that waits for seconds.
quick_test() {
    local left_out=() name
    need_dotnet
    rm -rf "$out/test"
    mkdir -p "$out/test"
    make_scratch
    mkdir "$scratch/build" "$scratch/tests"
    export TMPDIR=$scratch/tests DOTNET_EnableDiagnostics=0
    for name in Crash Hostile Processes Damage Bugs Disks; do left_out+=(-namespace- "Sessions.Tests.$name*"); done
    for name in Differential EarlierVersion LockLife LockSweep JobThread JobCancel Maintenance QueueProperty Stream \
        CursorPage Poison Salvage Migration; do
        left_out+=(-class- "*.${name}Tests")
    done
    script_suite style 60 tests/style/run.sh
    managed_suite Sessions.Tests 120 "${left_out[@]}"
    say "$passed passed, $failed failed"
    [ "$failed" = 0 ]
}

cmd_test() {
    if [ "${1:-}" = quick ]; then
        quick_test
        return
    fi
    need_dotnet
    need_cc
    need_cxx
    need_clang
    need_browser
    need_program luajit luajit
    need_program pkg-config pkg-config
    need_program cmake cmake make
    want_newer_clang
    want_program python3 python3
    want_program nvim neovim
    want_program node nodejs libnode-dev
    [ $system = osx ] || want_program strace strace
    rm -rf "$out/test"
    mkdir -p "$out/test"
    # Own temporary folders: what a test leaves behind is seen and removed. Diagnostics would put
    # the runtime's sockets there, and builds have leavings of their own.
    local left
    make_scratch
    mkdir "$scratch/build" "$scratch/tests"
    chmod 711 "$scratch/tests"
    # A library that cannot be built fails what needs it, and the rest still says how it is.
    if [ -n "${SESSIONS_LIBRARY:-}" ] || TMPDIR=$scratch/build bash ./build.sh lib; then
        SESSIONS_LIBRARY=${SESSIONS_LIBRARY:-$lib/$lib_name}
        given_or_built_library
    fi
    export TMPDIR=$scratch/tests DOTNET_EnableDiagnostics=0 CC=$cc CXX=$cxx CLANG=$clang BROWSER=$browser
    script_suite style 60 tests/style/run.sh
    managed_suite Sessions.Tests 900
    if [ -n "${SESSIONS_LIBRARY:-}" ]; then
        managed_suite Sessions.Native.Tests 240
        script_suite c 900 tests/c/run.sh "$lib" "$out/test/c"
        script_suite examples 600 tests/examples/run.sh "$lib"
        script_suite install 120 tests/install/run.sh
        script_suite browser 120 tests/browser/run.sh "$lib" "$out/test/browser"
        script_suite day 300 tests/day/run.sh "$lib" "$out/test/day" 90
    else
        count_suite 'Sessions.Native.Tests, c, examples, install, browser and day (no library)' 1
    fi
    left=$(ls -A "$scratch/tests")
    [ -z "$left" ] || { say "-- left behind in the temporary folder:"; say "$left"; failed=$((failed + 1)); }
    say "$passed passed, $failed failed"
    [ "$failed" = 0 ]
}

# Alone on the machine: it measures, too.
soak_day() {
    local minutes=${1:-${SESSIONS_SOAK_MINUTES:-20}}
    [[ $minutes =~ ^[1-9][0-9]*$ ]] || fail "soak day takes a number of minutes, not '$minutes'"
    need_cc
    given_or_built_library
    CC=$cc bash tests/day/run.sh "$lib" "$out/test/day" $((minutes * 60)) soak
}

cmd_soak() {
    if [ "${1:-}" = day ]; then
        soak_day "${@:2}"
        return
    fi
    local minutes=${1:-10}
    [[ $minutes =~ ^[1-9][0-9]*$ ]] || fail "soak takes a number of minutes, not '$minutes'"
    need_dotnet
    given_or_built_library
    mkdir -p "$out/test"
    rm -f "$out/test/Sessions.Tests.xml"
    make_scratch
    mkdir "$scratch/build"
    export SESSIONS_SOAK_MINUTES=$minutes
    managed_suite Sessions.Tests $((minutes * 120 + 720))
    say "$passed passed, $failed failed"
    [ "$failed" = 0 ]
}

# Runs a test project and prints what of an assembly it reached.
managed_coverage() {
    local name=$1 assembly=$2 results=$out/coverage/$2 report
    local settings=DataCollectionRunSettings.DataCollectors.DataCollector.Configuration
    dotnet test "tests/$name" -c "$configuration" "${build_flags[@]}" --results-directory "$results" \
        --collect 'XPlat Code Coverage' -- "$settings.Include=[$assembly]*"
    report=$(find "$results" -name coverage.cobertura.xml)
    [ -n "$report" ] || fail "the tests left no report"
    say "== $assembly"
    awk "${@:3}" -f tests/coverage.awk "$report"
}

# The export layer is measured in parts, as ahead-of-time code cannot be: the C half, with the tests'
# own process as the managed half behind it.
export_coverage() {
    local half=$out/coverage/half
    [ $system != osx ] || fail "the export layer is measured on Linux; see ./build.sh coverage engine"
    need_program gcov gcc libc6-dev
    need_clang
    bash tests/c/half.sh "$half" gcc -fprofile-arcs -ftest-coverage -fprofile-update=atomic -O0 -g
    local parts=(aborts environment errors exports process types) objects=()
    objects=("${parts[@]/#/$half/}")
    gcc -fprofile-arcs -shared -Wl,--wrap=pthread_create "${objects[@]/%/.o}" "$half/stand_ins.o" -pthread \
        -o "$half/$lib_name"
    SESSIONS_LIBRARY=$half/$lib_name CLANG=$clang managed_coverage Sessions.Native.Tests Sessions.Native -v whole=1
    grep -Eo 'ExcludeFromCodeCoverage\(Justification = .*\)' -r src/Sessions.Native --include '*.cs' || true
    "$half/boundary"
    (cd "$half" && gcov -b -c "${parts[@]/%/.gcda}" >gcov.log)
    say "== src/Sessions.Native/c"
    awk -f tests/coverage.gcov.awk "$half"/*.c.gcov
}

cmd_coverage() {
    local part
    [ $# != 0 ] || set -- engine exports
    need_dotnet
    rm -rf "$out/coverage"
    for part in "$@"; do
        case $part in
            engine) managed_coverage Sessions.Tests Sessions ;;
            exports) export_coverage ;;
            *) fail "coverage knows engine and exports, not '$part'" ;;
        esac
    done
}

cmd_bench() {
    need_cc
    printf '#include <sqlite3.h>\n' | "$cc" -E -x c - >/dev/null 2>&1 || install_packages libsqlite3-dev
    if [ "${1:-}" = pairs ]; then
        [ $# -ge 3 ] || fail "usage: ./build.sh bench pairs OLD NEW [SECTION...]"
        CC=$cc bash bench/run.sh pairs "$(from_caller "$2")" "$(from_caller "$3")" "$out/bench" "${@:4}"
        return
    fi
    given_or_built_library
    CC=$cc bash bench/run.sh "$lib" "$out/bench" "$@"
}

cmd_bindings() {
    local tools=$out/tools generator=ClangSharpPInvokeGenerator
    need_dotnet
    [ -f bindings/csharp/sessions.rsp ] || fail "bindings/csharp/sessions.rsp is missing"
    if [ ! -x "$tools/$generator" ] &&
        ! dotnet tool install $generator --tool-path "$tools" >"$out/tools.log" 2>&1; then
        cat "$out/tools.log" >&2
        fail "the configured feed does not serve the tool $generator, so bindings/csharp stays as it is"
    fi
    (cd bindings/csharp && "$tools/$generator" @sessions.rsp)
    say "bindings/csharp is regenerated"
}

cmd_clean() {
    rm -rf "$out"
    find src tests bench bindings -type d \( -name bin -o -name obj \) -prune -exec rm -rf {} + 2>/dev/null || true
}

caller=${OLDPWD:-$root}
mkdir -p "$out"
command=${1:-help}
[ $# = 0 ] || shift
case $command in
    lib | run | test | bench | coverage | soak | bindings | install | clean) "cmd_$command" "$@" ;;
    help | -h | --help) usage ;;
    *) usage >&2; fail "no command '$command'" ;;
esac
