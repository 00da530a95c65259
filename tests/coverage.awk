# Reads a Cobertura report; prints the lines of each file that no test reached, worst file first,
# and ends with the share of lines and branches that were. A file may hold many classes. With -v
# whole=1 it prints the lines of branches too, and fails where anything was not reached.

/<class / {
    match($0, /filename="[^"]*"/)
    file = substr($0, RSTART + 10, RLENGTH - 11)
    counting = 0
}
/<\/methods>|<methods *\/>/ { counting = 1 }
/<\/class>/ { counting = 0 }
counting && /<line / {
    match($0, /number="[0-9]+"/)
    line = substr($0, RSTART + 8, RLENGTH - 9) + 0
    match($0, /hits="[0-9]+"/)
    hits = substr($0, RSTART + 6, RLENGTH - 7) + 0
    if (!((file, line) in seen)) {
        seen[file, line] = 1
        lines++
        all[file]++
        if (hits > 0) { covered++; reached[file]++ }
        else missed[file] = missed[file] " " line
    }
    if (match($0, /\([0-9]+\/[0-9]+\)/)) {
        split(substr($0, RSTART + 1, RLENGTH - 2), part, "/")
        taken += part[1]
        branches += part[2]
        if (part[1] < part[2]) half[file ":" line] = part[1] " of " part[2]
    }
}
END {
    if (lines == 0) { print "no line was measured"; exit 1 }
    for (file in all)
        if (reached[file] < all[file])
            printf "%5.1f %% %s:%s\n", 100 * reached[file] / all[file], file, missed[file] | "sort -n"
    close("sort -n")
    if (whole) for (place in half) printf "%s: %s branches\n", place, half[place] | "sort"
    close("sort")
    printf "lines %.1f %% (%d of %d), branches %.1f %% (%d of %d)\n", 100 * covered / lines, covered, lines,
        branches ? 100 * taken / branches : 100, taken, branches
    if (whole && (covered < lines || taken < branches)) exit 1
}
