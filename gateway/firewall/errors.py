"""What can go wrong on purpose between us and the kernel."""

from gateway.errors import GatewayError, UsageError


class FirewallError(GatewayError):
    """The kernel or `nft` refused something that should have been possible."""


class FirewallConfigError(UsageError):
    """The settings describe no gateway (no guest interface, uplink or guest address), or one that would be open."""


class DesiredUnavailableError(GatewayError):
    """Intent can't be read or written now (database away or locked); what the kernel holds stays in force."""
