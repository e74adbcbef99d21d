"""What is left to do on a new installation, in order: a list that ticks itself and goes away when all is done.

The table is pure; `first_steps` gathers what it judges. A page shows it by including `first_steps.html`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from captive_portal.auth import accounts
from captive_portal.auth.passkeys import rp_id
from captive_portal.console.look import N_
from captive_portal.console.visit import Visit
from gateway.settings import Console, Owner
from gateway.storage import lists, rules
from gateway.terms.notice import blanks
from gateway.terms.publish import starter_texts


@dataclass(frozen=True)
class Standing:
    """How far an installation has come."""

    is_named: bool
    """Whether the municipality has given its name."""
    blanks: tuple[str, ...]
    """The settings that the notice of GDPR article 13 still lacks."""
    rules_are_example: bool
    lists_on: int
    it_accounts: int
    """Accounts of IT that can sign in, or have a link to begin with."""
    console_has_name: bool
    """Whether the console is called by a name, and not by an address or as it is delivered."""
    has_second_factor: bool
    """Whether the one who looks signs in with more than a password."""
    copy_targets: int
    """Places outside this machine that checkpoints of the log are copied to."""
    is_enforced: bool


@dataclass(frozen=True)
class Step:
    """One thing to do: whether it is done, what and why (msgids), and where; `is_wise` if guests may come before."""

    is_done: Callable[[Standing], bool]
    what: str
    how: str
    path: str = ""
    room: str = ""
    code: str = ""
    is_wise: bool = False


STEPS: Sequence[Step] = (
    Step(
        lambda standing: standing.is_named,
        N_("Say whose network this is"),
        N_("Guests see the name at the top of every page."),
        "/settings#name",
        N_("Settings"),
    ),
    Step(
        lambda standing: not standing.blanks,
        N_("Say who keeps what guests write, and why"),
        N_("Rules can’t be published before. Fill these in, or give back what was changed to the settings file:"),
        "/settings#controller",
        N_("Settings"),
    ),
    Step(
        lambda standing: not standing.rules_are_example,
        N_("Publish rules of your own"),
        N_("Guests are shown an example, after another municipality’s guidelines."),
        "/rules",
        N_("Rules"),
    ),
    Step(
        lambda standing: standing.lists_on > 0,
        N_("Switch lists on"),
        N_("A category closes the names on its lists. The short ones that come along have only the best known."),
        "/lists",
        N_("Lists"),
    ),
    Step(
        lambda standing: standing.console_has_name,
        N_("Give the console a name of its own"),
        N_("Links to it and passkeys hold at that name alone. Write it into the settings file before any is made:"),
        code="console.hostname",
        is_wise=True,
    ),
    Step(
        lambda standing: standing.has_second_factor,
        N_("Give your account a second factor"),
        N_("A password alone can be guessed or seen. An authenticator works already before the console has its name."),
        "/account",
        N_("Your account"),
        is_wise=True,
    ),
    Step(
        lambda standing: standing.it_accounts > 1,
        N_("Give somebody else in IT an account"),
        N_("So that the guest network does not depend on one person."),
        "/staff",
        N_("Accounts"),
        is_wise=True,
    ),
    Step(
        lambda standing: standing.copy_targets > 0,
        N_("Let copies of checkpoints go to another place"),
        N_("Then nobody who controls this machine can rewrite the log unseen. Write this into the settings file:"),
        code="[[audit.targets]]",
        is_wise=True,
    ),
    Step(
        lambda standing: standing.is_enforced,
        N_("Put the guest network behind it"),
        N_("Until then acceptances are only recorded. README.md, “On a real network”, says how."),
        "/network",
        N_("Network"),
    ),
)
NOTICE = STEPS[1]


@dataclass(frozen=True)
class Ticked:
    """A step as it stands for one installation; `settings` are the names of those to fill in."""

    step: Step
    done: bool
    settings: tuple[str, ...] = ()


def ticked(standing: Standing) -> Sequence[Ticked]:
    """The steps with their ticks; none when all are done."""
    blank = tuple(f"privacy.{key}" for key in standing.blanks)
    found = [Ticked(step, step.is_done(standing), blank if step is NOTICE else ()) for step in STEPS]
    return [] if all(each.done for each in found) else found


def first_steps(visit: Visit) -> Sequence[Ticked]:
    """The steps of this installation, for IT who look at it; none when all are done."""
    settings, owner_id = visit.services.settings, visit.services.place.owner_id
    everybody = accounts.list_accounts(visit.session, visit.services.place, visit.now)
    usable = [each for each in everybody if each.role == "it" and each.state in ("ready", "waiting")]
    mine = next((each for each in usable if each.username == visit.member.username), None)
    return ticked(
        Standing(
            is_named=settings.owner.name != Owner().name,
            blanks=tuple(blanks(settings.privacy)),
            rules_are_example=rules_are_example(visit),
            lists_on=sum(source.enabled for source in lists.sources(visit.session, owner_id)),
            it_accounts=len(usable),
            console_has_name=rp_id(settings.console) not in (None, Console().hostname),
            has_second_factor=mine is not None and (mine.second_factor or bool(mine.oidc_subject)),
            copy_targets=len(settings.audit.targets),
            is_enforced=settings.enforcement.enabled or visit.drives_firewall,
        )
    )


def rules_are_example(visit: Visit) -> bool:
    """Whether guests are shown the rules that come along, or none."""
    version = rules.version_in_force(visit.session, visit.services.place.owner_id, now=visit.now)
    return version is None or {text.language: text.markdown for text in version.texts} == starter_texts()
