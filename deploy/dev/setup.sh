#!/bin/sh
# Makes .venv from the hash-pinned locks. `setup.sh run` brings what the product needs, `setup.sh test` also what its
# tests need: as root on Debian the packages named below are installed, otherwise what is missing is named.
set -eu
cd "$(dirname "$0")/../.."
purpose=${1:-run}
venv=.venv

PACKAGES='nft:nftables ip:iproute2 dnsmasq:dnsmasq-base unbound:unbound dig:bind9-dnsutils chromium:chromium
udhcpc:udhcpc conntrack:conntrack pg_ctl:postgresql unshare:util-linux curl:curl pgrep:procps
libatomic.so.1:libatomic1'

is_root_on_debian() { [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; }

has_command() {
    case $1 in *.so.*) ldconfig -p 2>/dev/null | grep -q "$1" || PATH="$PATH:/sbin" ldconfig -p | grep -q "$1"; return ;; esac
    PATH="$PATH:/usr/sbin:/sbin" command -v "$1" >/dev/null && return
    [ "$1" = pg_ctl ] && ls /usr/lib/postgresql/*/bin/pg_ctl >/dev/null 2>&1
}

apt_install() {
    echo "installing Debian packages: $*"
    log=$(mktemp)
    if ! { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@"; } \
        >"$log" 2>&1; then
        tail -n 20 "$log" >&2
        exit 1
    fi
    rm -f "$log"
}

python=${PYTHON:-python3}
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || {
    echo "setup: Python 3.11 or newer is needed; set PYTHON to one" >&2
    exit 2
}
if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    is_root_on_debian || {
        echo "setup: Python's venv is missing; install the package python3-venv" >&2
        exit 2
    }
    apt_install python3-venv
fi

lock=deploy/lock/runtime.txt
[ "$purpose" = test ] && lock=deploy/lock/dev.txt
stamp=$(cat deploy/lock/build.txt "$lock" pyproject.toml | sha256sum | cut -d' ' -f1)
if [ "$purpose" = run ] && grep -qs "^run $stamp" "$venv/stamps"; then :
elif ! grep -qs "^$purpose $stamp" "$venv/stamps"; then
    echo "setting up $venv from $lock"
    [ -x "$venv/bin/python" ] || "$python" -m venv "$venv"
    pip="$venv/bin/python -m pip --quiet --disable-pip-version-check"
    $pip install --require-hashes -r deploy/lock/build.txt
    $pip install --require-hashes -r "$lock"
    $pip install --no-deps --no-build-isolation -e .
    echo "$purpose $stamp" >>"$venv/stamps"
fi

[ "$purpose" = test ] || exit 0
missing=''
for pair in $PACKAGES; do
    has_command "${pair%%:*}" || missing="$missing ${pair#*:}"
done
[ -z "$missing" ] && exit 0
if is_root_on_debian; then
    # shellcheck disable=SC2086 # a list of package names
    apt_install $missing
else
    echo "not installed:$missing - the tests that need them are left out, each by name"
fi
