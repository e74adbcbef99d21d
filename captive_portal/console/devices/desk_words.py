"""The help desk's words: for each stage that a device can reach a label, what to read aloud, and what IT does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from captive_portal.console.look import N_
from captive_portal.i18n import Translator
from gateway.access.desk import Caller, Stage


@dataclass(frozen=True)
class Words:
    """English texts; what is read `aloud` may have {portal} and {until}, `aside` is for whoever reads it."""

    label: str
    kind: Literal["", "success", "warning"]
    aloud: tuple[str, ...]
    aside: str = ""


_CHECK_WIFI = N_("Check that Wi-Fi is on and that you have chosen the guest network.")

WORDS: Mapping[Stage, Words] = MappingProxyType(
    {
        "absent": Words(
            N_("Not on the network"),
            "warning",
            (N_("I can’t see your device on the guest network now."), _CHECK_WIFI),
        ),
        "joined": Words(
            N_("Connected, without an IP address"),
            "warning",
            (
                N_("Your device is connected to the Wi-Fi but has not been given an address."),
                N_("Turn Wi-Fi off, wait ten seconds and turn it on again."),
            ),
            N_("If several devices stand here, look whether the DHCP server answers and has free addresses."),
        ),
        "address": Words(
            N_("Rules not accepted"),
            "warning",
            (
                N_("Your device is on the guest network, but the rules have not been accepted on it."),
                N_("Open the browser and go to {portal}, read the rules and accept them."),
            ),
            N_("Whether the page has been opened is not recorded."),
        ),
        "asking": Words(
            N_("Waits for the host"),
            "warning",
            (
                N_("You have asked your host to let you in, and the host has not answered yet."),
                N_("Ask the host to open the mail and answer it."),
            ),
        ),
        "ended": Words(
            N_("Access has ended"),
            "warning",
            (N_("Your access has ended."), N_("Open the browser and go to {portal}, read the rules and accept them.")),
        ),
        "waiting": Words(
            N_("Accepted, not let through yet"),
            "warning",
            (
                N_("The rules have been accepted on your device, but the network has not let it through yet."),
                N_("Wait a minute. If it does not work then, the fault is with us."),
            ),
            N_("If it stays like this, look whether the service enforcer runs on the gateway."),
        ),
        "recorded": Words(
            N_("Accepted"),
            "",
            (
                N_("The rules have been accepted on your device, so nothing more is needed here."),
                N_("If pages don’t open, the fault is elsewhere."),
            ),
            N_("This installation records acceptances, but does not control the network."),
        ),
        "blocked": Words(
            N_("Blocked"),
            "warning",
            (N_("Your device is blocked from the guest network, so accepting the rules does not help."),),
            N_("Why stands under Blocked devices, where the block can be lifted."),
        ),
        "closed": Words(
            N_("The network is closed"),
            "warning",
            (N_("The guest network is closed now, for everybody. Your device gets its access back when it opens."),),
            N_("Until when, and why, stands under Network."),
        ),
        "open": Words(
            N_("Let through without accepting"),
            "success",
            (N_("The guest network is open to everybody now. If pages don’t open, the fault is elsewhere."),),
        ),
        "asleep": Words(
            N_("Let through, not heard from"),
            "",
            (
                N_("Your device has access until {until}, but I have not heard from it in the last ten minutes."),
                _CHECK_WIFI,
            ),
        ),
        "online": Words(
            N_("Let through"),
            "success",
            (
                N_("Your device has access until {until}."),
                N_("If one page does not open, tell me its address, and I will see whether it is closed."),
            ),
            N_("Try the page’s name under Content filter."),
        ),
    }
)


def aloud(translate: Translator, caller: Caller, portal: str) -> str:
    """What to say to this caller in one language."""
    until = translate.moment(caller.ends_at) if caller.ends_at is not None else ""
    return " ".join(translate(text, portal=portal, until=until) for text in WORDS[caller.stage].aloud)
