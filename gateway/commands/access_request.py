"""placeholder"""

import click


@click.command("access-request")
def access_request() -> None:
    """Later."""
