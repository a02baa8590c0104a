#!/usr/bin/env bash
# A real OpenID provider for tests: the certified `oidc-provider` of npm, on the loopback,
# stopped when the run ends.
#
# Run it to give one command such a provider:
#
#     scripts/lib/openid.sh cargo test --locked --test it openid_real
#
# Or source it from a script:
#
#     openid_start       install and start it; sets openid_issuer
#     openid_stop        stop it; call it from the script's EXIT trap
set -euo pipefail

openid_root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
openid_node='node@22.23.3' # used where the installed Node.js is too old
openid_issuer=''           # what the service is told
openid_pid=''

openid_say() { printf 'openid: %s\n' "$*" >&2; }

# Installs the provider below target/ and starts it.
openid_start() {
    local dir="$openid_root/target/openid-provider" node=node deadline=$((SECONDS + 30))
    local -a extra=()
    mkdir -p "$dir"
    cp "$openid_root"/tests/openid/* "$dir/"
    if ! node -e 'process.exit(+process.versions.node.split(".")[0] >= 20 ? 0 : 1)' 2>/dev/null; then
        extra=("$openid_node")
        node="$dir/node_modules/.bin/node"
    fi
    if ! npm install --prefix "$dir" --no-audit --no-fund --no-save --loglevel=error \
        "${extra[@]}" </dev/null >&2; then
        openid_say 'npm cannot install oidc-provider'
        return 2
    fi
    : >"$dir/issuer"
    (cd "$dir" && exec "$node" provider.mjs >issuer 2>log </dev/null) &
    openid_pid=$!
    while [[ ! -s $dir/issuer ]]; do
        if ((SECONDS >= deadline)) || ! kill -0 "$openid_pid" 2>/dev/null; then
            openid_say 'the provider does not start:'
            cat "$dir/log" >&2
            return 1
        fi
        sleep 0.1
    done
    openid_issuer=$(<"$dir/issuer")
}

openid_stop() {
    if [[ -n $openid_pid ]]; then
        kill "$openid_pid" 2>/dev/null || true
        wait "$openid_pid" 2>/dev/null || true
        openid_pid=''
    fi
}

if [[ ${BASH_SOURCE[0]} == "$0" ]]; then
    if (($# == 0)); then
        openid_say 'usage: scripts/lib/openid.sh COMMAND [ARGUMENT...]'
        exit 2
    fi
    trap openid_stop EXIT
    openid_start
    TEST_OPENID_ISSUER=$openid_issuer "$@"
fi
