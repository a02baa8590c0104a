#!/usr/bin/env bash
# A private PostgreSQL server for tests: its own data directory, socket and port,
# stopped and removed when the run ends. It never uses or changes another server.
#
# Run it to give one command such a server:
#
#     scripts/lib/postgres.sh cargo test --locked --test it
#
# Or source it from a script:
#
#     pg_provide         find the server's programs, or install them; sets pg_bin
#     pg_start           start a server; sets pg_url
#     pg_stop            stop and remove it; call it from the script's EXIT trap
set -euo pipefail

pg_oldest=13     # the oldest major version the service supports
pg_connections=300
pg_bin=''        # directory of initdb, pg_ctl and postgres
pg_version=''    # their major version
pg_dir=''        # everything the server writes
pg_url=''        # what a client connects to
pg_settings=''   # more lines of postgresql.conf, which count more than those below
pg_user=''       # the account the server runs as; empty: the caller's own

pg_say() { printf 'postgres: %s\n' "$*" >&2; }

# ---- the programs -----------------------------------------------------------

# The major version of the programs in directory $1; fails if one is missing.
pg_major() {
    local program text
    for program in initdb pg_ctl postgres; do
        [[ -x "$1/$program" ]] || return 1
    done
    text=$("$1/postgres" --version 2>/dev/null) || return 1
    [[ $text =~ ([0-9]+) ]] || return 1
    printf '%s\n' "${BASH_REMATCH[1]}"
}

# Sets pg_bin to the programs in PATH, else to the newest installed ones.
pg_find() {
    local directory version found=''
    pg_bin='' pg_version=0
    # PATH often has a link or, on Debian, a wrapper: look where it leads.
    if found=$(type -P initdb); then
        found=$(dirname "$(readlink -f "$found")")
        if version=$(pg_major "$found") && ((version >= pg_oldest)); then
            pg_bin=$found pg_version=$version
            return 0
        fi
    fi
    for directory in /usr/lib/postgresql/*/bin /usr/local/pgsql/bin; do
        if version=$(pg_major "$directory") && ((version >= pg_oldest && version > pg_version)); then
            pg_bin=$directory pg_version=$version
        fi
    done
    [[ -n $pg_bin ]]
}

# Installs the server's programs on Debian and its kin. The package would set up
# and start a server of its own; a setting, there only meanwhile, keeps it from that.
pg_install() (
    settings=/etc/postgresql-common/createcluster.d
    export DEBIAN_FRONTEND=noninteractive
    trap 'rm -f "$settings/jianjian-tests.conf"' EXIT
    mkdir -p "$settings"
    printf 'create_main_cluster = false\n' >"$settings/jianjian-tests.conf"
    apt-get update -qq
    apt-get install -qq -y --no-install-recommends postgresql >/dev/null
)

# Makes sure that there are programs to run. Returns 2 with a message when not.
pg_provide() {
    pg_find && return 0
    if ((EUID == 0)) && type -P apt-get >/dev/null; then
        pg_say 'no server programs found; installing the package "postgresql"'
        pg_install </dev/null >&2 || pg_say 'the package could not be installed'
        pg_find && return 0
    fi
    pg_say "the programs of a PostgreSQL server, version $pg_oldest or later, are needed."
    pg_say 'Install them (Debian, Ubuntu: apt-get install postgresql; Fedora:'
    pg_say 'dnf install postgresql-server; macOS: brew install postgresql), so that initdb is in'
    pg_say 'PATH, /usr/lib/postgresql/*/bin or /usr/local/pgsql/bin. No server has to be running.'
    return 2
}

# ---- the server -------------------------------------------------------------

# Runs one of the server's programs with a clean environment, and never as root,
# which it would refuse.
pg_run() {
    local -a command=(env -i "PATH=$pg_bin:/usr/bin:/bin" "HOME=$pg_dir" LC_ALL=C "$@")
    cd "$pg_dir"
    if [[ -z $pg_user ]]; then
        "${command[@]}"
    elif type -P setpriv >/dev/null; then
        setpriv --reuid="$(id -u "$pg_user")" --regid="$(id -g "$pg_user")" --clear-groups \
            -- "${command[@]}"
    elif type -P runuser >/dev/null; then
        runuser -u "$pg_user" -- "${command[@]}"
    else
        su -s /bin/sh "$pg_user" -c 'exec "$@"' -- sh "${command[@]}"
    fi
}

pg_initdb() {
    local -a options=(
        --pgdata="$pg_dir/data" --username=postgres --pwfile="$pg_dir/password"
        --auth-local=trust --auth-host=password --encoding=UTF8 --locale=C --no-sync
    )
    # Most servers sort text by the rules of a language, SQLite by its bytes. Do as most
    # servers do where it is possible, so that a query which relies on bytes is found out.
    if ((pg_version >= 15)); then
        (pg_run initdb "${options[@]}" --locale-provider=icu --icu-locale=und) \
            >"$pg_dir/initdb.log" 2>&1 && return 0
        rm -rf "$pg_dir/data"
    fi
    (pg_run initdb "${options[@]}") >"$pg_dir/initdb.log" 2>&1
}

pg_start() {
    local password port attempt
    [[ -n $pg_bin ]] || pg_provide || return
    pg_dir=$(mktemp -d /tmp/jianjian-postgres.XXXXXX) # short: a socket's path is limited
    if ((EUID == 0)); then
        pg_user=postgres
        id -u "$pg_user" >/dev/null 2>&1 || pg_user=nobody
    fi

    password=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
    printf '%s\n' "$password" >"$pg_dir/password"
    [[ -z $pg_user ]] || chown -R "$pg_user" "$pg_dir"
    if ! pg_initdb; then
        pg_say 'initdb failed:'
        cat "$pg_dir/initdb.log" >&2
        return 1
    fi

    rm "$pg_dir/password"

    # Speed instead of safety: nothing here outlives the run. The time zone is not UTC, so
    # that a query which relies on the server's is found out.
    cat >>"$pg_dir/data/postgresql.conf" <<CONF
listen_addresses = '127.0.0.1'
unix_socket_directories = '$pg_dir'
max_connections = $pg_connections
shared_buffers = 128MB
fsync = off
synchronous_commit = off
full_page_writes = off
wal_level = minimal
max_wal_senders = 0
jit = off
timezone = 'Asia/Shanghai'
$pg_settings
CONF

    # The port is free only if the server gets it, so try until it does.
    for attempt in {1..20}; do
        port=$((20000 + RANDOM % 12000))
        if (pg_run pg_ctl start --silent --wait --timeout=60 --pgdata="$pg_dir/data" \
            --log="$pg_dir/server.log" --options="-p $port") >/dev/null 2>&1; then
            pg_url=postgres://postgres:$password@127.0.0.1:$port/postgres
            return 0
        fi
        grep -q 'Address already in use' "$pg_dir/server.log" || break
        : >"$pg_dir/server.log"
    done
    pg_say "the server did not start (attempt $attempt):"
    tail -n 40 "$pg_dir/server.log" >&2
    return 1
}

# Safe to call at any time, and more than once.
pg_stop() {
    local pid
    [[ -n $pg_dir ]] || return 0
    # Also when pg_start was interrupted, and the server may be there all the same.
    if [[ -s $pg_dir/data/postmaster.pid ]]; then
        pid=$(head -n 1 "$pg_dir/data/postmaster.pid")
        if ! (pg_run pg_ctl stop --silent --wait --timeout=30 --mode=immediate \
            --pgdata="$pg_dir/data") >/dev/null 2>&1 && ((pid > 1)); then
            kill -KILL "$pid" 2>/dev/null || true
        fi
    fi
    rm -rf "$pg_dir"
    pg_dir='' pg_url=''
}

# ---- run, not sourced -------------------------------------------------------

if [[ ${BASH_SOURCE[0]} == "$0" ]]; then
    if (($# == 0)) || [[ $1 == -h || $1 == --help ]]; then
        printf 'usage: %s COMMAND [ARGUMENT...]\n' "${0##*/}"
        printf 'Runs COMMAND with TEST_DATABASE_URL set to a PostgreSQL server made for it.\n'
        exit $(($# == 0 ? 2 : 0))
    fi
    trap pg_stop EXIT
    trap 'exit 129' HUP
    trap 'exit 130' INT
    trap 'exit 143' TERM
    pg_provide
    pg_start
    TEST_DATABASE_URL=$pg_url "$@"
fi
