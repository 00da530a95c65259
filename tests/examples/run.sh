#!/usr/bin/env bash
# Runs the examples that watch a store, each in its own language, while another process works in that store:
#   tests/examples/run.sh LIBDIR
# An example whose program is not installed is skipped by name. Ends with "N passed, N failed".
set -uo pipefail
lib=$(cd "$1" && pwd)
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
cc=${CC:-cc}
work=$(mktemp -d)
example=
passed=0
failed=0
skipped=0

finish() {
    [ -z "$example" ] || kill "$example" 2>/dev/null
    rm -rf "$work"
}
trap finish EXIT

library=$lib/libsessions.so
[ -e "$library" ] || library=$lib/libsessions.dylib
export SESSIONS_LIBRARY=$library

# What the quickstart does, in its order: a kind of change, and what is in its detail.
expected='created "parent_id": *null
event_appended "type": *"user_prompt"
event_appended "type": *"agent_message"
renamed "title": *"Fix the cart"
created "parent_id": *"session_
share {}'

# expect PATTERN: each of these as the pattern of a line, with \1 for the kind and \2 for the detail.
expect() { sed "s/^\([a-z_]*\) \(.*\)/$1/" <<<"$expected"; }

skip() {
    printf 'SKIPPED %s: %s\n' "$1" "$2"
    skipped=$((skipped + 1))
}

pass_or_fail() {
    if [ "$2" = 0 ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        printf 'FAILED %s\n' "$1"
        cat "$work/log" "$work/writer.log" 2>/dev/null | cut -c 1-300 | head -n 60
    fi
}

# Waits for a condition, two minutes at most; no longer than the example lives.
await() {
    local i
    for ((i = 0; i < 2400; i++)); do
        "$@" && return 0
        kill -0 "$example" 2>/dev/null || { "$@"; return; }
        sleep 0.05
    done
    return 1
}

is_watching() { grep -q '^watching' "$work/log"; }

# Every line that is expected, in this order.
tells_all() {
    local line=0 pattern found
    while read -r pattern; do
        found=$(tail -n +$((line + 1)) "$work/log" | grep -n -m 1 -e "$pattern" | cut -d : -f 1)
        [ -n "$found" ] || return 1
        line=$((line + found))
    done <<<"$told"
}

# run_example NAME COMMAND...: starts it on a store with an input of its own, lets the quickstart work there, and
# ends the input when all was told. What it must tell is in $told.
run_example() {
    local name=$1 ok=1
    shift
    rm -rf "$work/store" "$work/in" "$work/log" "$work/writer.log"
    mkfifo "$work/in"
    : >"$work/log"
    "$@" "$work/store" <"$work/in" >"$work/log" 2>&1 &
    example=$!
    exec 9>"$work/in"
    if await is_watching; then
        [ -z "${typed:-}" ] || printf '%s\n' "$typed" >&9
        if "$work/quickstart" "$work/store" >"$work/writer.log" 2>&1 && await tells_all; then ok=0; fi
    fi
    exec 9>&-
    [ $ok = 0 ] || kill "$example" 2>/dev/null
    wait "$example" || ok=1
    example=
    pass_or_fail "$name" $ok
}

build() { "$cc" -Wall -Wextra -Werror "$@" -Iinclude -L"$lib" -lsessions "-Wl,-rpath,$lib" 2>"$work/log"; }

quickstart() { build -std=c99 examples/c/quickstart.c -o "$work/quickstart"; }
quickstart
pass_or_fail 'the quickstart compiles' $?

c_example() {
    # It prints the pages as they are, and what is typed meanwhile becomes a title.
    local told typed='typed meanwhile'
    told=$(expect '"kind":"\1",.*\2')
    build -std=c99 examples/c/watch.c -o "$work/watch"
    pass_or_fail 'examples/c/watch.c compiles' $?
    run_example examples/c/watch.c "$work/watch"
    grep -q "\"title\":\"$typed\"" "$work/log"
    pass_or_fail 'examples/c/watch.c hears of its input too' $?
}

python_example() {
    local told
    told=$(expect '^\1 session_[0-9_]* .*\2')
    command -v python3 >/dev/null || { skip examples/python/watch.py 'python3 is not installed'; return; }
    run_example examples/python/watch.py env PYTHONDONTWRITEBYTECODE=1 python3 examples/python/watch.py
}

node_example() {
    local told headers
    told=$(expect '^\1 session_[0-9_]* .*\2')
    command -v node >/dev/null || { skip examples/node/watch.mjs 'node is not installed'; return; }
    headers=$(dirname "$(dirname "$(node -p 'fs.realpathSync(process.execPath)')")")/include/node
    [ -f "$headers/node_api.h" ] || { skip examples/node/watch.mjs "there is no $headers/node_api.h"; return; }
    build -std=c99 -shared -fPIC "-I$headers" examples/node/sessions.c -o "$work/sessions.node"
    pass_or_fail 'examples/node/sessions.c compiles' $?
    run_example examples/node/watch.mjs env "SESSIONS_ADDON=$work/sessions.node" node examples/node/watch.mjs
}

# The editor has no input here; it ends by itself when its buffer shows all.
neovim() {
    SESSIONS_STORE=$1 SESSIONS_READY=$work/log SESSIONS_EXPECTED=$told HOME=$work XDG_RUNTIME_DIR=$work nvim \
        --headless -u NONE -i NONE -n -c 'luafile examples/lua/watch.lua' -c 'luafile tests/examples/nvim.lua' \
        </dev/null >"$work/nvim.log" 2>&1
    local status=$?
    cat "$work/nvim.log"
    return $status
}

lua_example() {
    local told
    told=$(expect '\1 session_[0-9_]* .-\2') # as Lua writes it
    command -v nvim >/dev/null || { skip examples/lua/watch.lua 'nvim is not installed'; return; }
    rm -rf "$work/store" "$work/log" "$work/writer.log" "$work/nvim.log"
    : >"$work/log"
    neovim "$work/store" >"$work/shown" 2>&1 &
    example=$!
    local ok=1
    if await is_watching && "$work/quickstart" "$work/store" >"$work/writer.log" 2>&1; then ok=0; fi
    wait "$example" || ok=1
    example=
    cp "$work/shown" "$work/log"
    pass_or_fail examples/lua/watch.lua $ok
}

# stranger STATUS PATTERN: what the program that looks at a stranger's store ends with and prints.
stranger() {
    "$work/stranger" "$work/store" >"$work/log" 2>&1
    [ $? = "$1" ] && grep -q "$2" "$work/log"
    pass_or_fail "examples/c/stranger.c ends with $1" $?
}

stranger_example() {
    build -std=c99 -pedantic examples/c/stranger.c -o "$work/stranger"
    pass_or_fail 'examples/c/stranger.c compiles' $?
    rm -rf "$work/store"
    stranger 2 SESSION_E_NOT_FOUND
    "$work/quickstart" "$work/store" >"$work/writer.log" 2>&1
    stranger 0 'Fix the cart'
    ln -s / "$work/store/config.json"
    stranger 1 '"code":"misplaced".*"file":"config.json"'
    rm "$work/store/config.json"
    chmod 777 "$work/store"
    stranger 2 'SESSION_E_ACCESS_DENIED.*chmod'
}

c_example
stranger_example
python_example
node_example
lua_example

[ $skipped = 0 ] || printf '%s examples were skipped\n' "$skipped"
printf '%s passed, %s failed\n' "$passed" "$failed"
[ "$failed" = 0 ]
