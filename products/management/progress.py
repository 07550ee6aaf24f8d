"""The progress of a long command: a bar on a terminal, nothing elsewhere."""

import sys
from collections.abc import Iterable
from typing import Any

from tqdm import tqdm


def progress_bar[T](items: Iterable[T] | None, unit: str, *, total: int | None = None) -> Any:
    """Return an iterator that passes the items on and shows their number.

    Without items, the caller reports progress by the bar's ``update``.
    """
    return tqdm(
        items, unit=f" {unit}", total=total, disable=None, file=sys.stderr, dynamic_ncols=True
    )
