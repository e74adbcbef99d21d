"""The root of everything the gateway raises on purpose."""


class GatewayError(Exception):
    """Something unexpected that a person can act on; the message says what to do.

    The command line prints it as one line on standard error and exits with `exit_code`; HTTP maps it once, at the edge.
    """

    exit_code = 1


class UsageError(GatewayError):
    """Wrong use: a bad setting, file or argument. Exit code 2."""

    exit_code = 2
