"""The newest revision that services look for is the head of the migrations."""

from importlib.resources import files

from alembic.config import Config
from alembic.script import ScriptDirectory

from gateway.storage import revision


def test_newest_revision_is_the_head_of_the_migrations():
    config = Config()
    config.set_main_option("script_location", str(files("migrations")))
    assert ScriptDirectory.from_config(config).get_current_head() == revision.NEWEST
