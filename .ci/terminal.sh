# Runs a command whose standard error is a terminal, and its standard output the file out. What the terminal has got is in
# the file seen. Sourced by the scripts that try an example; needs `script` of util-linux.
# shellcheck shell=bash
# Usage: on_terminal CODE 'COMMAND, as a shell reads it'
on_terminal() {
    local code=$1 actual=0
    shift
    # A pseudo-terminal has no size of its own, and nothing is drawn in no columns.
    timeout --kill-after 5 60 script --quiet --return --command "stty columns 100 rows 24; { $*; } >'$dir/out'" \
        "$dir/seen" </dev/null >/dev/null || actual=$?
    [ "$actual" = "$code" ] || fail "exit code $actual and not $code in a terminal: $*"
}

# The terminal has shown this, and the last thing that it got clears the line.
has_shown() {
    grep -qE -e "$1" "$dir/seen" || fail "the terminal has not shown: $1"
    sed '/^Script done/d' "$dir/seen" | tr -d '\n' | grep -q $'\e\\[2K\r*$' || fail 'the bar is left in the terminal'
}
