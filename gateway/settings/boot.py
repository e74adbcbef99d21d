"""What a service is started with: every section, and what follows from several of them."""

from __future__ import annotations

from pathlib import Path

from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from gateway.errors import UsageError
from gateway.settings.log import Audit
from gateway.settings.mail import Hosts, Mail
from gateway.settings.oidc import Oidc
from gateway.settings.sections import (
    Console,
    Courses,
    Database,
    Dns,
    Enforcement,
    Look,
    Owner,
    Portal,
    Privacy,
    Rules,
    Wifi,
)
from gateway.settings.sessions import Sessions

PREFIX = "GJESTENETT_"


class Settings(BaseSettings):
    """Everything that is read at start; a service is restarted to change it."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_nested_delimiter="__",
        extra="forbid",
        frozen=True,
    )

    state: Path = Path("state")
    owner: Owner = Owner()
    database: Database = Database()
    portal: Portal = Portal()
    look: Look = Look()
    sessions: Sessions = Sessions()
    console: Console = Console()
    oidc: Oidc = Oidc()
    dns: Dns = Dns()
    enforcement: Enforcement = Enforcement()
    rules: Rules = Rules()
    courses: Courses = Courses()
    wifi: Wifi = Wifi()
    mail: Mail = Mail()
    hosts: Hosts = Hosts()
    audit: Audit = Audit()
    privacy: Privacy = Privacy()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return (env_settings, init_settings)

    @property
    def database_url(self) -> str:
        """SQLAlchemy URL of the database; a secret when it is PostgreSQL's. Raises: UsageError."""
        if self.database.url_file is not None:
            try:
                url = self.database.url_file.read_text(encoding="utf-8").strip()
            except (OSError, UnicodeDecodeError) as error:
                raise UsageError(f"database.url_file can't be read: {error}; correct the path or its mode") from error
            if not url:
                raise UsageError(f"database.url_file {self.database.url_file} is empty; write the URL into it")
            return url
        return self.database.url or f"sqlite:///{self.state.absolute() / 'gjestenett.sqlite3'}"

    @property
    def metrics_token(self) -> bytes | None:
        """What a program must send to have the console's figures; None: it must be on this machine.

        Raises: UsageError.
        """
        path = self.console.metrics_token_file
        if path is None:
            return None
        try:
            token = path.read_bytes().strip()
        except OSError as error:
            raise UsageError(f"console.metrics_token_file can't be read: {error}; correct the path or mode") from error
        if len(token) < 16:
            raise UsageError(f"console.metrics_token_file {path} is too short; write at least 16 characters into it")
        return token

    @property
    def public_url(self) -> str:
        """Where guests reach the portal, without a trailing slash."""
        if self.portal.public_url:
            return self.portal.public_url.rstrip("/")
        if not self.enforcement.enabled:
            return f"http://{self.portal.host}:{self.portal.port}"
        scheme = "https" if self.portal.tls_certificate else "http"
        return f"{scheme}://{self.portal.hostname}"


def signing_key_path(settings: Settings) -> Path:
    """Where the log's signing key lies."""
    return settings.audit.key_file or settings.state / "keys" / "log.key"
