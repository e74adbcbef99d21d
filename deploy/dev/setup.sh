#!/bin/sh
# Makes .venv from the hash-pinned locks. `setup.sh run` brings what the product needs, `setup.sh test` also what its
# tests need, `setup.sh bench-dns` also the DNS servers that are measured beside ours: as root on Debian the packages
# named below are installed, and what they would start is not started; otherwise what is missing is named.
set -eu
cd "$(dirname "$0")/../.."
purpose=${1:-run}
venv=.venv

PACKAGES='nft:nftables ip:iproute2 dnsmasq:dnsmasq-base unbound:unbound dig:bind9-dnsutils chromium:chromium
udhcpc:udhcpc conntrack:conntrack pg_ctl:postgresql unshare:util-linux curl:curl pgrep:procps iodine:iodine
kea-dhcp4:kea-dhcp4-server kea-dhcp6:kea-dhcp6-server radvd:radvd /lib/systemd/systemd-networkd:systemd
libatomic.so.1:libatomic1 dnsperf:dnsperf strace:strace libpango-1.0.so.0:libpango-1.0-0
libpangoft2-1.0.so.0:libpangoft2-1.0-0 fc-list:fontconfig pdftoppm:poppler-utils
/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf:fonts-dejavu-core'
MEASURED='dnsperf:dnsperf unbound:unbound dnsmasq:dnsmasq-base pdns_recursor:pdns-recursor dnsdist:dnsdist named:bind9
kresd:knot-resolver cc:gcc cc:libc6-dev setpriv:util-linux'
SERVICES='unbound:unbound.service pdns-recursor:pdns-recursor.service dnsdist:dnsdist.service bind9:named.service
knot-resolver:kresd.target kea-dhcp4-server:kea-dhcp4-server.service kea-dhcp6-server:kea-dhcp6-server.service
radvd:radvd.service'

is_root_on_debian() { [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; }

has_command() {
    case $1 in /*) [ -e "$1" ]; return ;; *.so.*) ldconfig -p 2>/dev/null | grep -q "$1" || PATH="$PATH:/sbin" ldconfig -p | grep -q "$1"; return ;; esac
    PATH="$PATH:/usr/sbin:/sbin" command -v "$1" >/dev/null && return
    [ "$1" = pg_ctl ] && ls /usr/lib/postgresql/*/bin/pg_ctl >/dev/null 2>&1
}

# The tests and measurements start each server themselves: nothing that is installed here is started, now or at boot.
apt_install() (
    echo "installing Debian packages: $*"
    log=$(mktemp)
    denial=/usr/sbin/policy-rc.d
    if [ -e "$denial" ]; then denial=''; else printf '#!/bin/sh\nexit 101\n' >"$denial"; chmod +x "$denial"; fi
    trap 'rm -f "$log" $denial' EXIT
    if ! { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@"; } \
        >"$log" 2>&1; then
        tail -n 20 "$log" >&2
        exit 1
    fi
    command -v systemctl >/dev/null || exit 0
    for pair in $SERVICES; do
        case " $* " in *" ${pair%%:*} "*) systemctl disable --quiet "${pair#*:}" >"$log" 2>&1 || true ;; esac
    done
)

# The distribution's own Python first: it is built with profile-guided and link-time optimisation, and others often are
# not, which costs every service a fifth of its speed (docs/performance.md).
is_recent() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }
has_venv() { "$1" -c 'import ensurepip, venv' 2>/dev/null; }
python=${PYTHON:-}
[ -n "$python" ] || for python in /usr/bin/python3 python3; do
    is_recent "$python" && { has_venv "$python" || is_root_on_debian; } && break
done
is_recent "$python" || {
    echo "setup: Python 3.11 or newer is needed; set PYTHON to one" >&2
    exit 2
}
if ! has_venv "$python"; then
    is_root_on_debian || {
        echo "setup: Python's venv is missing; install the package python3-venv" >&2
        exit 2
    }
    apt_install python3-venv
fi

needs=$purpose
[ "$purpose" = bench-dns ] && PACKAGES=$MEASURED needs=test
lock=deploy/lock/runtime.txt
[ "$needs" = test ] && lock=deploy/lock/dev.txt
stamp=$(cat deploy/lock/build.txt "$lock" pyproject.toml | sha256sum | cut -d' ' -f1)
if [ "$needs" = run ] && grep -qs "^run $stamp" "$venv/stamps"; then :
elif ! grep -qs "^$needs $stamp" "$venv/stamps"; then
    echo "setting up $venv from $lock"
    [ -x "$venv/bin/python" ] || "$python" -m venv "$venv"
    pip="$venv/bin/python -m pip --quiet --disable-pip-version-check"
    $pip install --require-hashes -r deploy/lock/build.txt
    $pip install --require-hashes -r "$lock"
    $pip install --no-deps --no-build-isolation -e .
    echo "$needs $stamp" >>"$venv/stamps"
fi

[ "$needs" = test ] || exit 0
missing=''
for pair in $PACKAGES; do
    has_command "${pair%%:*}" || missing="$missing ${pair#*:}"
done
[ -z "$missing" ] && exit 0
if is_root_on_debian; then
    # shellcheck disable=SC2086 # a list of package names
    apt_install $missing
else
    echo "not installed:$missing - what needs them is left out, each by name"
fi
