"""What can go wrong on purpose between us and the kernel."""

from gateway.errors import GatewayError, UsageError


class FirewallError(GatewayError):
    """The kernel or `nft` refused something that should have been possible."""


class FirewallConfigError(UsageError):
    """The settings do not describe a gateway: no guest interface, no uplink or no guest address."""


class DesiredUnavailableError(GatewayError):
    """Intent can't be read or written now (database away or locked); what the kernel holds stays in force."""
