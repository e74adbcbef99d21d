"""The root of what the DNS package raises."""

from gateway.errors import GatewayError


class DnsError(GatewayError):
    """Something the DNS service cannot go on with; the message says what to do."""


class WireError(DnsError):
    """Bytes that are not the DNS message they should be."""
