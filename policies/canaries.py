"""Names by which programs ask whether they may go round this resolver: no, for every type and everything below."""

CANARIES = frozenset(
    (
        "use-application-dns.net",  # Firefox: DNS over HTTPS by default
        "mask.icloud.com",  # Apple: iCloud Private Relay
        "mask-h2.icloud.com",
        "resolver.arpa",  # designated resolvers (RFC 9462 §6)
    )
)
