"""Bundles and receipts, honest and forged, that both verifiers must judge alike: Python and the browser."""

from __future__ import annotations

import hashlib
import io
import json
import random
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from gateway.audit import canonical, merkle, note, view
from gateway.audit.bundle import Sidecar
from gateway.audit.checkpoint import Checkpoint, sign_checkpoint
from gateway.audit.receipt import make_receipt
from gateway.audit.sealing import seal
from gateway.audit.verify_bundle import Report, WrongUse, verify_bundle, verify_receipt
from tests.unit.audit.forgeries.case import Case
from tests.unit.audit.forgeries.fitting_manifest import forged
from tests.unit.audit.forgeries.receipts import receipts
from tests.unit.audit.forgeries.restores import restore_cases
from tests.unit.audit.forgeries.rotations import rotation_cases
from tests.unit.audit.forgeries.selections import selections
from tests.unit.audit.forgeries.shapes import misshapen
from tests.unit.audit.forgeries.whole import mixed_up, whole_bundles
from tests.unit.audit.forgeries.zips import hostile_cases
from tests.unit.audit.specimen import KEYS, ORIGIN, SIGNER, Log, rewrite, sha256, write


@cache
def cases() -> tuple[Case, ...]:
    """All of them."""
    sources = (
        whole_bundles,
        forged,
        misshapen,
        hostile_cases,
        selections,
        rotation_cases,
        restore_cases,
        mixed_up,
        receipts,
    )
    return tuple(case for source in sources for case in source())
