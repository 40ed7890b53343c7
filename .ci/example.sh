# What the scripts that try an example have in common. Sourced as: . .ci/example.sh NAME
# An example that needs features is sourced with features=….
# shellcheck shell=bash
name=$1
target=$(cargo metadata --no-deps --format-version 1 | sed 's/.*"target_directory":"\([^"]*\)".*/\1/')

# Builds an example, which may be a package of its own with more than one program, and says where it is. A failed build
# ends the script where the call stands alone, as in `server=$(built NAME)`, and would not within another command.
built() {
    if [ -e "examples/$1/Cargo.toml" ]; then
        .ci/build -p "$1" --bin "${2:-$1}" || return
        printf '%s' "$target/debug/${2:-$1}"
        return
    fi
    .ci/build --example "$1" ${features:+--features "$features"} || return
    printf '%s' "$target/debug/examples/$1"
}

example=$(built "$name")
dir=$(mktemp -d)
strays=() # Processes that are to be gone when the script is, besides those that it has started itself.

finish() {
    for pid in $(jobs -pr) "${strays[@]}"; do
        kill -KILL "$pid" 2>/dev/null || true
        wait "$pid" 2>/dev/null || true
    done
    rm -rf "$dir"
}
trap finish EXIT

fail() {
    printf '%s: %s\n' "$name" "$1" >&2
    [ ! -s "$dir/err" ] || cat "$dir/err" >&2
    exit 1
}

# Runs the example, and compares its exit code.
expect() {
    local code=$1 actual=0
    shift
    timeout --kill-after 5 60 "$example" "$@" >"$dir/out" 2>"$dir/err" || actual=$?
    [ "$actual" = "$code" ] || fail "exit code $actual and not $code for: $*"
}

# Starts a server, and finds its port: `server`, `port`, and what it has `said`.
serve() {
    said=$(mktemp -p "$dir")
    "$@" >"$said" 2>"$dir/err" &
    server=$!
    eventually grep -q '^listening on ' "$said"
    port=$(sed -n 's/^listening on .*://p' "$said")
}

# Waits until a command succeeds.
eventually() {
    for _ in $(seq 400); do
        ! "$@" 2>/dev/null || return 0
        sleep 0.05
    done
    fail "not within 20 s: $*"
}

# None of these processes is there.
gone() {
    for pid in "$@"; do ! kill -0 "$pid" || return 1; done
}

# Waits for a process that was started here, and compares its exit code.
ends_with() {
    local code=$1 pid=$2 actual=0
    wait "$pid" || actual=$?
    [ "$actual" = "$code" ] || fail "exit code $actual and not $code"
}
