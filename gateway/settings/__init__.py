"""Settings: one TOML file, each key also as `GJESTENETT_…` with `__` between levels, secrets only from files.

Precedence: what IT changed in the console, where a setting may be changed there (`operational`), then the environment,
then the file, then the defaults, with which everything runs unprivileged on loopback.
"""

from gateway.settings.boot import Settings, signing_key_path
from gateway.settings.reading import config_path, given_by_environment, load
from gateway.settings.sections import (
    Asked,
    Console,
    Courses,
    Database,
    Dns,
    Enforcement,
    FormField,
    GroupForm,
    Look,
    Owner,
    Portal,
    Privacy,
    Rules,
    Wifi,
)

__all__ = [
    "Asked",
    "Console",
    "Courses",
    "Database",
    "Dns",
    "Enforcement",
    "FormField",
    "GroupForm",
    "Look",
    "Owner",
    "Portal",
    "Privacy",
    "Rules",
    "Settings",
    "Wifi",
    "config_path",
    "given_by_environment",
    "load",
    "signing_key_path",
]
