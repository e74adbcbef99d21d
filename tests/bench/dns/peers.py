"""The servers, as data: how each is told to block the list and to forward the rest, in one thread.

None validates DNSSEC. `$port` is the server's own port, `$upstream` that of the upstream, `$list` the file with the
names, `$dir` its folder. Each blocks in its usual way, with caches large enough for the runs; logs are off.
RPZ, dnsmasq and ours block what is below a name too; dnsdist looks up exact names only, which is its fastest way.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

NOERROR, NXDOMAIN = 0, 3


@dataclass(frozen=True, slots=True)
class Server:
    """One server to measure. `list_format` is a key of `lists.FORMATS`, or '' where it has no list."""

    key: str
    title: str
    program: str
    package: str
    command: tuple[str, ...]
    list_format: str = ""
    block_rcode: int = NXDOMAIN
    files: Mapping[str, str] = field(default_factory=dict)
    workloads: tuple[str, ...] | None = None
    """None: all."""
    reviews: bool = False
    """Whether replies are looked through, so that it counts in the marks for recursors."""
    tuned: bool = False
    """Whether something is switched on that few do, so that the marks tell it apart."""


UNBOUND = """\
server:
  interface: 127.0.0.1
  port: $port
  num-threads: 1
  do-daemonize: no
  username: ""
  chroot: ""
  directory: "$dir"
  pidfile: ""
  use-syslog: no
  logfile: "$dir/log"
  verbosity: 0
  module-config: "respip iterator"
  access-control: 127.0.0.0/8 allow
  do-not-query-localhost: no
  so-rcvbuf: 4m
  msg-cache-size: 128m
  rrset-cache-size: 256m
  outgoing-range: 4096
  num-queries-per-thread: 2048
  minimal-responses: yes
remote-control:
  control-enable: no
rpz:
  name: rpz.bench.
  zonefile: "$list"
forward-zone:
  name: "."
  forward-addr: 127.0.0.1@$upstream
"""

DNSMASQ = """\
port=$port
listen-address=127.0.0.1
bind-interfaces
no-resolv
no-poll
no-hosts
server=127.0.0.1#$upstream
cache-size=10000
dns-forward-max=2000
user=root
group=root
pid-file=
conf-file=$list
"""

RECURSOR = """\
local-address=127.0.0.1
local-port=$port
threads=1
pdns-distributes-queries=no
daemon=no
write-pid=no
socket-dir=$dir
dnssec=off
security-poll-suffix=
export-etc-hosts=off
allow-from=127.0.0.0/8
dont-query=
quiet=yes
loglevel=3
log-common-errors=no
disable-syslog=yes
forward-zones-recurse=.=127.0.0.1:$upstream
lua-config-file=$dir/recursor.lua
"""

DNSDIST = """\
setLocal("127.0.0.1:$port")
setACL("127.0.0.0/8")
setSecurityPollSuffix("")
setMaxUDPOutstanding(65535)
newServer({address="127.0.0.1:$upstream", sockets=8}):setUp()
getPool(""):setCache(newPacketCache(2000000))
local names = newCDBKVStore("$list", 3600)
addAction(KeyValueStoreLookupRule(names, KeyValueLookupKeyQName(true)), RCodeAction(DNSRCode.NXDOMAIN))
"""

NAMED = """\
options {
  directory "$dir";
  listen-on port $port { 127.0.0.1; };
  listen-on-v6 { none; };
  pid-file none;
  session-keyfile none;
  recursion yes;
  allow-query { 127.0.0.0/8; };
  dnssec-validation no;
  forward only;
  forwarders { 127.0.0.1 port $upstream; };
  empty-zones-enable no;
  minimal-responses yes;
  notify no;
  max-cache-size 512m;
  recursive-clients 10000;
  response-policy { zone "rpz.bench"; } qname-wait-recurse no;
};
controls { };
logging { category default { null; }; };
zone "rpz.bench" { type primary; file "$list"; };
"""

KRESD = """\
net.ipv6 = false
net.listen('127.0.0.1', $port, { kind = 'dns' })
log_level('crit')
trust_anchors.remove('.')
modules.unload('ta_update')
modules.unload('ta_signal_query')
modules.unload('priming')
modules.unload('detect_time_skew')
modules.load('policy')
cache.size = 512 * MB
policy.add(policy.rpz(policy.DENY, '$list', false))
policy.add(policy.all(policy.STUB({'127.0.0.1@$upstream'})))
"""

DNSDIST_IN_BATCHES = DNSDIST + "setUDPMultipleMessagesVectorSize(64)\n"
"""Off unless IT says so: recvmmsg and sendmmsg, as ours."""

RESPONDER = Server(
    "responder",
    "C responder",
    "",
    "",
    ("$build/responder", "$port"),
    block_rcode=NOERROR,
    workloads=("blocked", "hot"),
)
OURS = Server(
    "ours",
    "ours",
    "",
    "",
    ("$python", "-P", "-m", "gateway.dns.worker", "$config"),
    "snapshot",
    NOERROR,
    reviews=True,
)
PEERS = (
    Server(
        "unbound",
        "unbound RPZ",
        "unbound",
        "unbound",
        ("unbound", "-d", "-c", "$dir/unbound.conf"),
        "rpz",
        files={"unbound.conf": UNBOUND},
        reviews=True,
    ),
    Server(
        "dnsmasq",
        "dnsmasq",
        "dnsmasq",
        "dnsmasq-base",
        ("dnsmasq", "-k", "-C", "$dir/dnsmasq.conf"),
        "dnsmasq",
        NOERROR,
        files={"dnsmasq.conf": DNSMASQ},
    ),
    Server(
        "pdns",
        "PowerDNS RPZ",
        "pdns_recursor",
        "pdns-recursor",
        ("pdns_recursor", "--config-dir=$dir"),
        "rpz",
        files={"recursor.conf": RECURSOR, "recursor.lua": 'rpzFile("$list", {policyName="bench"})\n'},
        reviews=True,
    ),
    Server(
        "dnsdist",
        "dnsdist CDB",
        "dnsdist",
        "dnsdist",
        ("dnsdist", "--supervised", "--disable-syslog", "-C", "$dir/dnsdist.conf"),
        "cdb",
        files={"dnsdist.conf": DNSDIST},
    ),
    Server(
        "dnsdist-batches",
        "dnsdist CDB, recvmmsg",
        "dnsdist",
        "dnsdist",
        ("dnsdist", "--supervised", "--disable-syslog", "-C", "$dir/dnsdist.conf"),
        "cdb",
        files={"dnsdist.conf": DNSDIST_IN_BATCHES},
        tuned=True,
    ),
    Server(
        "bind",
        "BIND RPZ",
        "named",
        "bind9",
        ("named", "-f", "-n", "1", "-c", "$dir/named.conf"),
        "rpz",
        files={"named.conf": NAMED},
        reviews=True,
    ),
    Server(
        "knot",
        "Knot Resolver RPZ",
        "kresd",
        "knot-resolver",
        ("kresd", "-n", "-c", "$dir/kresd.conf", "$dir"),
        "rpz",
        files={"kresd.conf": KRESD},
        reviews=True,
    ),
)
SERVERS = (RESPONDER, OURS, *PEERS)
