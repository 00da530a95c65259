# Reads what `gcov -b -c` wrote; prints each line that was not reached and each whose branches were not all
# taken, and ends with the share that was, as coverage.awk does. Fails where it is not all of them.

/^ *[^:]*: *[0-9]+:/ {
    split($0, field, ":")
    count = field[1]
    line = field[2] + 0
    if (line == 0) {
        if (field[3] == "Source") { file = field[4]; sub(/.*\//, "", file) }
        next
    }
    if (count !~ /-/) lines++
    if (count ~ /#/) { missed++; printf "%s:%d: not reached\n", file, line }
}
/^branch +[0-9]+ / {
    branches++
    if (!/ taken [1-9]/) { open_branches++; printf "%s:%d: branch %d not taken\n", file, line, $2 }
}
END {
    if (lines == 0) { print "no line was measured"; exit 1 }
    printf "lines %.1f %% (%d of %d), branches %.1f %% (%d of %d)\n", 100 * (lines - missed) / lines, lines - missed,
        lines, branches ? 100 * (branches - open_branches) / branches : 100, branches - open_branches, branches
    if (missed + open_branches > 0) exit 1
}
