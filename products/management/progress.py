"""How far a long command has come: a bar on a terminal, nothing elsewhere."""

import sys
from collections.abc import Iterable
from typing import Any

from tqdm import tqdm


def progress_bar[T](things: Iterable[T] | None, unit: str, *, total: int | None = None) -> Any:
    """Passes ``things`` on, or counts what it is told with ``update``."""
    return tqdm(
        things, unit=f" {unit}", total=total, disable=None, file=sys.stderr, dynamic_ncols=True
    )
