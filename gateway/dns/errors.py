"""The root of what the DNS package raises."""

from gateway.errors import GatewayError, UsageError


class DnsError(GatewayError):
    """Something the DNS service cannot go on with; the message says what to do."""


class DnsSettingsError(UsageError, DnsError):
    """The settings ask for what the DNS service cannot do. Exit code 2."""


class WireError(DnsError):
    """Bytes that are not the DNS message they should be."""
