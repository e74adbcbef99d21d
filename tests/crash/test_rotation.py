"""Killed before or after any durable step of replacing the log's key: the log has a key, and trust leads to it."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable
from typing import Any

import pytest

from gateway.audit import note
from gateway.audit.checkpoint import open_checkpoint
from gateway.audit.custody import rotate_key
from gateway.audit.rotation import follow
from gateway.audit.sealer import Sealer
from gateway.context import Services
from gateway.installation import (
    open_services,
    open_signing_key,
    prepare,
    public_key_path,
    read_signing_key,
    sealer_memory,
)
from gateway.settings import signing_key_path
from gateway.storage import leaves
from gateway.storage.engine import Session


def die_at(step: int, after: bool) -> None:
    """From now on this process is killed before, or after, its `step`-th durable write."""
    steps = itertools.count(1)

    def deadly(call: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(*arguments: Any, **more: Any) -> Any:
            here = next(steps) == step
            if here and not after:
                os._exit(9)
            result = call(*arguments, **more)
            if here:
                os._exit(9)
            return result

        return wrapped

    os.fsync = deadly(os.fsync)
    os.replace = deadly(os.replace)
    Session.commit = deadly(Session.commit)  # type: ignore[method-assign]


def rotate_in_child(services: Services, step: int, after: bool) -> int:
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    try:
        again = open_services(services.settings, services.clock)
        die_at(step, after)
        rotate_key(
            again.database,
            again.place,
            signing_key_path(again.settings),
            by="ola",
            reason="yearly",
            now=again.clock(),
        )
        os._exit(0)
    except BaseException:
        os._exit(1)


def seal(services: Services, signer: note.SignerKey) -> None:
    memory = sealer_memory(services.settings)
    place = services.place
    Sealer(
        services.database,
        place.owner_id,
        place.log_origin,
        signer,
        services.clock,
        memory=memory,
        open_key=lambda: open_signing_key(services),
    ).round()


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_killed_at_any_step_the_log_goes_on_and_trust_follows(services: Services, after: bool) -> None:
    first = open_signing_key(services)
    seal(services, first)
    services.database.close()
    rotations = 0
    for step in range(1, 40):
        before = read_signing_key(services.settings)
        code = rotate_in_child(services, step, after)
        prepare(services.settings, services.clock).database.close()  # the next start
        signer = open_signing_key(services)
        rotations += signer != before
        seal(services, signer)
        with services.database.read() as session:
            head = leaves.find_head(session, services.place.owner_id)
            notes = [text.encode() for text in leaves.rotations(session, services.place.owner_id)]
            assert head is not None
            assert not leaves.is_staged(session, services.place.owner_id)
            entries = [entry for _, _, entry in leaves.entries(session, services.place.owner_id, 0, head.size)]
        assert len(notes) == rotations == sum(b'"type":"key_rotated"' in entry for entry in entries)
        trusted = follow(notes, services.place.log_origin, first.verifier)
        assert trusted[-1] == signer.verifier
        assert public_key_path(services.settings).read_text() == "".join(f"{key}\n" for key in trusted)
        head_key = signer.verifier if rotations else first.verifier
        open_checkpoint(head.checkpoint.encode(), [head_key])
        services.database.close()
        if code == 0:
            assert step > 6
            return
        assert code == 9
    raise AssertionError("the replacement never came to its end")
