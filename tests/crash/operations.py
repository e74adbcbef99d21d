"""What is being done when the machine dies: each operation as its process does it, over an installation opened anew.

To have another operation struck, add it to `OPERATIONS`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from gateway.access.accept import Accepted, Applicant, accept
from gateway.access.admission import Admitted, Device, admit
from gateway.access.grants import revoke
from gateway.audit.export import Order, export
from gateway.audit.sealer import seal_staged, sign_bundles
from gateway.clock import utc_now
from gateway.context import Services
from gateway.installation import open_services, read_signing_key
from gateway.link.neighbours import Neighbour
from gateway.lists import generations as policy
from gateway.lists.jobs import compile_in_force
from gateway.settings import Settings
from gateway.storage import grants, rules
from gateway.terms import publish as terms

PREPARED_GUESTS = 5
NEW_MAC = "02:00:00:00:01:01"


def opened(settings: Settings, work: Callable[[Services], object]) -> Callable[[], None]:
    """`work` as a process of its own does it: with services that it opens, and closes in the end."""

    def run() -> None:
        services = open_services(settings, utc_now)
        work(services)
        services.database.close()

    return run


def accept_one(services: Services, mac: str = NEW_MAC) -> None:
    """A guest accepts, as the portal records it."""
    now = services.clock()
    with services.database.write() as session:
        version = rules.version_in_force(session, services.place.owner_id, now=utc_now())
        assert version is not None
        done = accept(
            session,
            services.place,
            Neighbour("lo", mac),
            Applicant("Kari Nordmann", "Studieforbundet", "+47 22 22 22 22"),
            version_id=version.id,
            language="nb",
            address="192.0.2.7",
            duration=timedelta(hours=10),
            now=now,
        )
    assert isinstance(done, Accepted), done


def admit_one(services: Services) -> None:
    """IT lets a projector in."""
    now = services.clock()
    with services.database.write() as session:
        done = admit(
            session,
            services.place,
            Device(NEW_MAC, "Nybø skule", "projector"),
            interface="lo",
            group_key=None,
            until=now + timedelta(days=100),
            by="ola",
            now=now,
        )
    assert isinstance(done, Admitted), done


def revoke_one(services: Services) -> None:
    """IT ends the newest grant."""
    now = services.clock()
    with services.database.write() as session:
        newest = grants.open_grants(session, services.place.owner_id, now)[0]
        assert revoke(session, services.place, newest.id, "ola", now)


def publish_rules(services: Services) -> None:
    """A new version of the rules is put in force."""
    now = services.clock()
    with services.database.write() as session:
        terms.publish(
            session,
            services.place,
            terms.starter_texts(),
            label=f"2 of {now.isoformat()}",
            adopting_body="Kommunestyret",
            adopted_on=now.date(),
            case_number="26/1",
            binding_language="nb",
            next_review_on=None,
            published_by="ola",
            now=now,
        )


def publish_policy(services: Services) -> None:
    """A policy with a new exemption is published, and jobs compiles it into the snapshot that DNS reads."""
    now, place = services.clock(), services.place
    with services.database.write() as session:
        document = deepcopy(policy.draft(session, place))
        exemption = {
            "id": f"e{len(document['exemptions']) + 1}",
            "group": "default",
            "categories": ["gaming"],
            "from": now.isoformat(),
            "until": (now + timedelta(days=1)).isoformat(),
            "approved_by": "Kari Nordmann",
            "reason": "course",
        }
        document["exemptions"].append(exemption)
        policy.save_draft(session, place, document, now)
        policy.publish(session, place, "ola", "crash", now)
    compile_in_force(services.database, place, services.settings.state, ("gjest.example.no",))


def seal_all(services: Services) -> None:
    """The sealer orders everything that is staged, and signs."""
    signer, place = read_signing_key(services.settings), services.place
    while seal_staged(services.database, place.owner_id, place.log_origin, signer, services.clock()):
        pass


def sign_all(services: Services) -> None:
    """The sealer signs the hashes of bundles."""
    place = services.place
    sign_bundles(services.database, place.owner_id, place.log_origin, read_signing_key(services.settings))


def bundle_path(settings: Settings) -> Path:
    """Where `export_all` writes."""
    return settings.state / "bundle.zip"


def export_all(services: Services) -> None:
    """The auditor's bundle and its signature are written."""
    now = services.clock()
    order = Order(now - timedelta(days=1), now + timedelta(days=1), "revisor", "yearly control")
    keys = (read_signing_key(services.settings).verifier,)
    done = export(services.database, services.place, keys, order, bundle_path(services.settings), now)
    assert done.sidecar is not None, "the sealer did not sign"


@dataclass(frozen=True)
class Operation:
    """One operation; `leaves` are those that it stages, `most` at how many calls it is struck, about.

    `sealing`: the sealer has to run beside it, as export waits for it.
    """

    do: Callable[[Services], object]
    leaves: Mapping[str, int]
    most: int
    sealing: bool = False


OPERATIONS: Mapping[str, Operation] = {
    "accept": Operation(accept_one, {"acceptance": 1}, 20),
    "admit": Operation(admit_one, {"device_admitted": 1}, 6),
    "revoke": Operation(revoke_one, {"grant_revoked": 1}, 6),
    "publish rules": Operation(publish_rules, {"rules_published": 1}, 10),
    "publish policy": Operation(publish_policy, {"policy_published": 1, "exemption_changed": 1}, 22),
    "seal": Operation(seal_all, {}, 16),
    "export": Operation(export_all, {"export": 1}, 24, sealing=True),
}
