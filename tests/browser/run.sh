#!/usr/bin/env bash
# Opens transcripts as HTML in a headless browser, at the width of a phone and of a desk, light and dark, and
# asks what became of them:  tests/browser/run.sh LIBDIR OUTDIR  leaves the pages and pictures in OUTDIR.
# Ends with "N passed, N failed".
#
# The browser is spoken to through two pipes (its DevTools protocol, messages end with a NUL), so no
# port is opened and the page's policy, which lets no script run, does not stand in the way of looking.
set -euo pipefail
lib=$(cd "$1" && pwd)
mkdir -p "$2"
out=$(cd "$2" && pwd)
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
cc=${CC:-cc}
browser=${BROWSER:-chromium}
work=$(mktemp -d)
pid=
passed=0
failed=0

finish() {
    exec 7>&- 8<&- || true
    [ -z "$pid" ] || { kill "$pid" 2>/dev/null || true; wait "$pid" 2>/dev/null || true; }
    # What the browser left running for its profile may still write there.
    for _ in 1 2 3 4 5 6 7 8 9 10; do
        rm -rf "$work" 2>/dev/null && break
        sleep 1
    done
}
trap finish EXIT

# check NAME COMMAND...: one test.
check() {
    local name=$1
    shift
    if "$@"; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        printf 'FAILED %s: %s\n' "$name" "${answer:0:300}"
    fi
}

# ---- the browser --------------------------------------------------------------------------------

start_browser() {
    mkfifo "$work/in" "$work/out"
    # A home of its own, and nothing that it would do by itself on the network. Tests may run as root,
    # whose browser has no sandbox; all it opens was made here.
    HOME=$work TMPDIR=$work "$browser" --headless --no-sandbox --disable-gpu --disable-dev-shm-usage \
        --user-data-dir="$work/profile" --disable-background-networking --disable-component-update \
        --disable-sync --disable-extensions --no-first-run --hide-scrollbars --force-color-profile=srgb \
        --remote-debugging-pipe 3<"$work/in" 4>"$work/out" >"$work/log" 2>&1 &
    pid=$!
    exec 7>"$work/in" 8<"$work/out"
}

serial=0
session=
events=

# tell METHOD PARAMETERS: leaves the browser's answer in $answer, and what it said meanwhile in $events.
tell() {
    local message
    serial=$((serial + 1))
    printf '{"id":%d,"method":"%s","params":%s%s}\0' "$serial" "$1" "$2" \
        "${session:+,\"sessionId\":\"$session\"}" >&7
    while IFS= read -r -t 60 -d '' message <&8; do
        if [[ $message == *"\"id\":$serial,"* && $message != *'"method":'* ]]; then
            answer=$message
            [[ $message != *'"error":'* ]] || { printf 'the browser says: %s\n' "$message" >&2; return 1; }
            return 0
        fi
        events+=$message$'\n'
    done
    printf 'the browser is gone:\n' >&2
    tail -n 5 "$work/log" >&2
    return 1
}

# What an expression is in the page, as JSON.
value_of() {
    tell Runtime.evaluate "{\"expression\":\"JSON.stringify($1)\",\"returnByValue\":true}" || return
    answer=$(sed -n 's/.*"type":"string","value":"\(.*\)"}}.*/\1/p' <<<"$answer" | sed 's/\\"/"/g')
}

is() {
    value_of "$1" || return
    [ "$answer" = "$2" ]
}

open_page() {
    local page=$1 width=$2 height=$3 scheme=$4 mobile=false
    [ "$width" -ge 600 ] || mobile=true
    tell Emulation.setDeviceMetricsOverride \
        "{\"width\":$width,\"height\":$height,\"deviceScaleFactor\":2,\"mobile\":$mobile}"
    tell Emulation.setEmulatedMedia "{\"features\":[{\"name\":\"prefers-color-scheme\",\"value\":\"$scheme\"}]}"
    events=
    tell Page.navigate "{\"url\":\"file://$out/$page\"}"
    while [[ $events != *Page.loadEventFired* ]]; do value_of document.readyState; done
}

picture() {
    tell Page.captureScreenshot '{"format":"png"}'
    sed 's/.*"data":"\([^"]*\)".*/\1/' <<<"$answer" | base64 -d >"$out/$1.png"
}

# ---- what is asked ------------------------------------------------------------------------------

foreign='iframe,object,embed,link,base,form,input,svg,[style],[onload],[onerror],[onfocus],[onmouseover]'

# style SELECTOR PROPERTY: as a script says it.
style() { printf "getComputedStyle(document.querySelector('%s')).%s" "$1" "$2"; }

# Nothing but the page itself was asked for, nothing ran, nothing sticks out.
check_page() {
    local name=$1 asked
    asked=$(grep -o '"Network.requestWillBeSent".*' <<<"$events" | grep -o '"url":"[^"]*"' | sort -u |
        grep -v '"url":"file://' | grep -v '"url":"data:image/' || true)
    answer=$asked
    check "$name: nothing is loaded" test -z "$asked"
    check "$name: no script has run" is "document.documentElement.hasAttribute('data-owned')" false
    check "$name: no script is in it" is "document.scripts.length" 0
    check "$name: its own style sheet counts" \
        is "document.styleSheets.length==1&&$(style main maxWidth)!='none'" true
    check "$name: nothing is foreign to it" is "document.querySelectorAll('$foreign').length" 0
    check "$name: everything stands in its column" \
        is "document.querySelectorAll('body>:not(main)').length" 0
    check "$name: nothing is wider than the screen" \
        is "document.documentElement.scrollWidth<=document.documentElement.clientWidth" true
    check "$name: no link leads anywhere but the web" \
        is "[...document.links].every(a=>/^https?:/.test(a.href))" true
    check "$name: what tools print is folded" is "document.querySelectorAll('details[open]').length" 0
}

check_talk() {
    local name=$1
    check "$name: four messages" is "document.querySelectorAll('article').length" 4
    check "$name: the title" is "document.title" "\"Fix the cart's total\""
    check "$name: the prompt as it was written" is \
        "document.querySelector('article.u .p').innerText.split('\\\\n').length" 3
    check "$name: folded output has no height" \
        is "[...document.querySelectorAll('details pre')].every(p=>!p.checkVisibility())" true
    check "$name: text is large enough to read" is "parseFloat($(style .t fontSize))>=15" true
    check "$name: what is to be tapped is large enough" \
        is "[...document.querySelectorAll('summary')].every(s=>s.getBoundingClientRect().height>=36)" true
    value_of "document.querySelectorAll('details').forEach(d=>d.open=true)" || true
    check "$name: unfolded too, nothing is wider than the screen" \
        is "document.documentElement.scrollWidth<=document.documentElement.clientWidth" true
    check "$name: unfolded output can be seen" \
        is "[...document.querySelectorAll('details pre')].every(p=>p.getBoundingClientRect().height>10)" true
}

# The page keeps to the reader's scheme, and its text stands out from its ground (WCAG: 4.5 to 1).
luminance='(c=>{const[r,g,b]=c.match(/[0-9.]+/g).map(v=>(v/=255)<=.03928?v/12.92:((v+.055)/1.055)**2.4);'
luminance+='return .2126*r+.7152*g+.0722*b})'
contrast="(s=>{const e=document.querySelector(s);let g=e;while(getComputedStyle(g).backgroundColor=='rgba(0, 0, 0, 0)')"
contrast+="g=g.parentElement;const a=$luminance(getComputedStyle(e).color),"
contrast+="b=$luminance(getComputedStyle(g).backgroundColor);return(Math.max(a,b)+.05)/(Math.min(a,b)+.05)})"
check_scheme() {
    local name=$1 scheme=$2 compare='>' selector
    [ "$scheme" = light ] || compare='<'
    check "$name: the ground is $scheme" is "$luminance($(style body backgroundColor))$compare.5" true
    for selector in body .sub .t '.u .p' .k .who time li .done pre '.bad .k' '.e .who'; do
        check "$name: $selector can be read" is "$contrast('$selector')>=4.5" true
    done
}

"$cc" -std=c99 -Wall -Wextra -Werror -Iinclude tests/browser/page.c -L"$lib" -lsessions "-Wl,-rpath,$lib" \
    -o "$work/page"
rm -rf "$out/store"
"$work/page" "$out"
start_browser
tell Target.createTarget '{"url":"about:blank"}'
target=$(sed 's/.*"targetId":"\([^"]*\)".*/\1/' <<<"$answer")
tell Target.attachToTarget "{\"targetId\":\"$target\",\"flatten\":true}"
session=$(sed 's/.*"result":{"sessionId":"\([^"]*\)".*/\1/' <<<"$answer")
tell Page.enable '{}'
tell Network.enable '{}'
for scheme in light dark; do
    for size in 360x740 1280x900; do
        name="talk, ${size%x*} wide, $scheme"
        open_page talk.html "${size%x*}" "${size#*x}" "$scheme"
        picture "talk-${size%x*}-$scheme"
        check_page "$name"
        check_scheme "$name" "$scheme"
        check_talk "$name"
        picture "talk-${size%x*}-$scheme-open"
    done
    open_page hostile.html 360 740 "$scheme"
    check_page "hostile, $scheme"
    picture "hostile-$scheme"
done
rm -rf "$out/store"
printf '%d passed, %d failed\n' "$passed" "$failed"
[ "$failed" = 0 ]
