"""`gjestenett`: the composition root, the only place that wires the parts together.

Each service command imports what it runs and nothing else, so that a process holds only its own part in memory.
"""
# ruff: noqa: PLC0415 - imports inside commands are the point

from __future__ import annotations

import logging
import sys
from pathlib import Path

import click

from gateway.clock import utc_now
from gateway.commands.session import Group, Invocation, pass_invocation

LAZY = {
    "announce": "gateway.commands.announce:announce",
    "audit": "gateway.commands.audit:audit",
    "certificate": "gateway.commands.certificate:certificate",
    "config": "gateway.commands.config:config",
    "courses": "gateway.commands.courses:courses",
    "db": "gateway.commands.db:db",
    "devices": "gateway.commands.devices:devices",
    "grants": "gateway.commands.grants:grants",
    "hosts": "gateway.commands.hosts:hosts",
    "lists": "gateway.commands.lists:lists",
    "networks": "gateway.commands.networks:networks",
    "policy": "gateway.commands.policy:policy",
    "staff": "gateway.commands.staff:staff",
    "terms": "gateway.commands.terms:terms",
}


@click.group(cls=Group, lazy=LAZY, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--config", type=click.Path(path_type=Path), help="Settings file (TOML); else $GJESTENETT_CONFIG.")
@click.option("--state", type=click.Path(path_type=Path), help="State directory; else $GJESTENETT_STATE.")
@click.version_option(package_name="gjestenett", prog_name="gjestenett")
@click.pass_context
def cli(context: click.Context, config: Path | None, state: Path | None) -> None:
    """Guest-access gateway: login page, DNS policy, and acceptance as verifiable evidence."""
    context.obj = Invocation(config, state)


@cli.command()
@pass_invocation
def up(invocation: Invocation) -> None:
    """Run every service under one supervisor."""
    from gateway.startup import (
        hold_state,
        in_child,
        keep_settings,
        prepare_and_announce,
        services_to_run,
        settings_in_words,
    )
    from gateway.supervisor import Supervisor

    _log_to_stderr("up")
    settings = invocation.settings
    lock = hold_state(settings)
    click.echo(f"{'settings':<14} {settings_in_words(invocation.config)}")
    lines = in_child(lambda: prepare_and_announce(settings, click.echo))
    invocation.config = keep_settings(invocation.config, settings)
    click.echo(f"{'starting':<14} each is named below once it answers")

    def tell(service: str) -> None:
        for line in lines.get(service, ()):
            click.echo(line)

    status = Supervisor(services_to_run(settings, _own_command(invocation)), tell).run()
    lock.close()
    click.echo("stopped")
    sys.exit(status)


@cli.command()
@pass_invocation
def portal(invocation: Invocation) -> None:
    """Serve the guest pages and the captive-portal API."""
    from captive_portal.guest_app import create_app
    from captive_portal.serve import Listener, serve
    from gateway.access.host_mail import check_mail
    from gateway.heartbeat import Heartbeat
    from gateway.settings.now import following

    _log_to_stderr("portal")
    check_mail(invocation.settings)
    with following(invocation.services()) as services:
        app, chosen = create_app(services), services.settings.portal
        listeners = [Listener(app, chosen.host, chosen.port, answer=app.doorstep.answer)]
        if chosen.tls_certificate is not None:
            listeners.append(Listener(app, chosen.host, chosen.https_port, chosen.tls_certificate, chosen.tls_key))
        heartbeat = Heartbeat(services.database, services.place.gateway_id, "portal", utc_now)
        status = serve(listeners, heartbeat.poll)
    sys.exit(status)


@cli.command()
@pass_invocation
def console(invocation: Invocation) -> None:
    """Serve IT's and the auditor's pages."""
    from captive_portal.auth.certificate import ensure_certificate
    from captive_portal.console.courses.posters import wifi_password
    from captive_portal.console_app import create_app
    from captive_portal.serve import Listener, serve
    from gateway.collection import Collection, collecting
    from gateway.dns.config import counters_socket
    from gateway.settings.now import following
    from gateway.telemetry import Totals

    _log_to_stderr("console")
    services = invocation.services()
    settings, totals = services.settings, Totals()
    # what is wrong with these is said now, not when they are needed
    _ = settings.metrics_token, settings.oidc.client_secret, wifi_password(settings.wifi)
    certificate = ensure_certificate(settings.state, settings.console, utc_now())
    counted = Collection(services.database, services.place, totals, utc_now)
    with following(services) as followed, collecting(counters_socket(settings), counted):
        app, chosen = create_app(followed, totals), settings.console
        status = serve([Listener(app, chosen.host, chosen.port, certificate.certificate, certificate.key)])
    sys.exit(status)


@cli.command()
@pass_invocation
def dns(invocation: Invocation) -> None:
    """Answer guests' DNS under their group's policy."""
    from gateway.dns.worker import run

    _log_to_stderr("dns")
    sys.exit(run(invocation.settings))


@cli.command()
@pass_invocation
def enforcer(invocation: Invocation) -> None:
    """Keep nftables in agreement with who may be online."""
    import threading

    from gateway.access.desired import StoredIntent
    from gateway.firewall import sysctl
    from gateway.firewall.config import firewall_config
    from gateway.firewall.enforcer import Enforcer
    from gateway.firewall.nft import NftFirewall
    from gateway.heartbeat import Heartbeat
    from gateway.link.routes import non_default_routes
    from gateway.readiness import say_ready
    from gateway.supervisor import StopFlag

    _log_to_stderr("enforcer")
    config = firewall_config(invocation.settings)
    services = invocation.services()
    stop = threading.Event()
    flag = StopFlag(stop)
    heartbeat = Heartbeat(services.database, services.place.gateway_id, "enforcer", utc_now)
    intent = StoredIntent(services.database, services.place, utc_now, flag, heartbeat.poll)
    say_ready()
    Enforcer(
        intent,
        NftFirewall(),
        config,
        routes=non_default_routes,
        prepare=lambda: sysctl.apply(sysctl.gateway_settings(config.uplink)),
    ).run(stop)
    intent.close()


@cli.command()
@pass_invocation
def watch(invocation: Invocation) -> None:
    """Announce the captive-portal URI by router advertisement on the guest interfaces."""
    from gateway.announcement import announcement
    from gateway.installation import guest_interfaces
    from gateway.link.watch import Watch
    from gateway.readiness import say_ready
    from gateway.supervisor import StopFlag

    _log_to_stderr("watch")
    settings = invocation.settings
    say_ready()
    Watch(guest_interfaces(settings), lambda: announcement(settings, utc_now()).shown, StopFlag()).run()


@cli.command()
@pass_invocation
def jobs(invocation: Invocation) -> None:
    """Compile policies and lists into what DNS reads, refresh lists when due, erase what is old, push checkpoints."""
    import contextlib
    from datetime import timedelta

    from gateway.access.course_keeping import CourseKeeping
    from gateway.access.host_mail import hosts_to_mail
    from gateway.access.retention import Retention
    from gateway.announcement_files import AnnouncementFiles
    from gateway.audit.push import ask_witnesses, due_targets
    from gateway.audit.pusher import Pusher
    from gateway.collection import Forgetting
    from gateway.heartbeat import Heartbeat
    from gateway.lists.jobs import run
    from gateway.readiness import say_ready
    from gateway.settings.now import following
    from gateway.storage.engine import StorageUnavailableError
    from gateway.supervisor import StopFlag
    from gateway.terms.coming import ComingRules

    _log_to_stderr("jobs")
    with following(invocation.services()) as services:
        settings = services.settings
        heartbeat = Heartbeat(services.database, services.place.gateway_id, "jobs", utc_now)
        keep_octets = timedelta(days=settings.privacy.traffic_days)
        forgetting = Forgetting(services.database, services.place.owner_id, utc_now, keep_octets)
        retention = Retention(services.database, services.place, settings, utc_now)
        announced = AnnouncementFiles(settings, utc_now)
        coming = ComingRules(services.database, services.place, utc_now)
        keeping = CourseKeeping(services.database, services.place, settings.privacy, utc_now)
        sync = [*_own_command(invocation), "lists", "sync", "--due"]
        targets = settings.audit.targets
        with contextlib.suppress(StorageUnavailableError):
            ask_witnesses(services.database, services.place, targets)
        pusher = Pusher(
            [*_own_command(invocation), "audit", "push", "--due"],
            lambda: targets and due_targets(services.database, services.place, targets, utc_now),
        )

        postman = Pusher(
            [*_own_command(invocation), "hosts", "mail"],
            lambda: hosts_to_mail(services.database, services.place, settings, utc_now()),
            what="mailing hosts",
            look_every_s=1.0,
        )

        def beside() -> None:
            heartbeat.poll()
            forgetting.poll()
            retention.poll()
            coming.poll()
            keeping.poll()
            pusher.poll()
            announced.poll()
            postman.poll()

        say_ready()
        run(
            services.database,
            services.place,
            settings.state,
            (settings.portal.hostname,),
            StopFlag(),
            sync,
            beside,
        )
        pusher.close()
        postman.close()


@cli.command()
@pass_invocation
def sealer(invocation: Invocation) -> None:
    """Order the log and sign its checkpoints."""
    from gateway.audit.sealer import Sealer
    from gateway.audit.targets.look import look_into_directories
    from gateway.audit.witness import Witness
    from gateway.heartbeat import Heartbeat
    from gateway.installation import known_logs, open_signing_key, open_witness_key, sealer_memory, witnessed_memory
    from gateway.readiness import say_ready
    from gateway.supervisor import StopFlag

    _log_to_stderr("sealer")
    services = invocation.services()
    settings, place = services.settings, services.place
    stop = StopFlag()
    signer, logs = open_signing_key(services), known_logs(settings)
    witness = Witness(
        services.database, place.owner_id, logs, lambda: open_witness_key(settings), witnessed_memory(settings)
    )
    heartbeat = Heartbeat(services.database, place.gateway_id, "sealer", utc_now)
    look_into_directories(services.database, place, settings.audit.targets)
    say_ready()
    Sealer(
        services.database,
        place.owner_id,
        place.log_origin,
        signer,
        utc_now,
        memory=sealer_memory(settings),
        open_key=lambda: open_signing_key(services),
        beside=witness.answer,
        each_round=heartbeat.poll,
    ).run(stop)


def _own_command(invocation: Invocation) -> list[str]:
    command = [sys.executable, "-m", "gateway.cli"]
    if invocation.config is not None:
        command += ["--config", str(invocation.config)]
    if invocation.state is not None:
        command += ["--state", str(invocation.state)]
    return command


def _log_to_stderr(service: str) -> None:
    logging.getLogger("alembic").setLevel(logging.WARNING)
    logging.basicConfig(level=logging.INFO, format=f"{service}: %(levelname)s %(message)s", stream=sys.stderr)


def main() -> None:
    """The console script. Exit code 0 fine, 1 it fell short, 2 wrong use."""
    cli(prog_name="gjestenett")


if __name__ == "__main__":
    main()
