"""What every service of the human side is given: settings, database, place and clock."""

from dataclasses import dataclass

from gateway.clock import Clock
from gateway.settings import Settings
from gateway.storage.engine import Database
from gateway.storage.places import Place


@dataclass(frozen=True)
class Services:
    """The parts that a web application is built over; made once by the composition root."""

    settings: Settings
    database: Database
    place: Place
    clock: Clock
