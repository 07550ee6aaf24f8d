"""How fast a job goes: at full speed, unless people make single edits at the same time. Pure."""

from collections.abc import Callable
from dataclasses import dataclass

from products.grouped_writes import GROUP_SIZE

SMALL_GROUP_SIZE = 5
EDIT_MEMORY_SECONDS = 3.0
"""How long after a single edit the next one is expected."""
MAX_REST_SECONDS = 0.5


@dataclass(slots=True, kw_only=True)
class JobPace:
    """Lets the steps of jobs give way to the single edits that the same worker stores.

    While there are edits, a job writes small groups, and rests as long as each took. So an edit
    waits for a few rows at most, and the job takes half of the time. ``clock`` is monotonic.
    """

    clock: Callable[[], float]
    sleep: Callable[[float], None]
    edited_at: float | None = None

    def note_edit(self) -> None:
        """Note that a single edit was made."""
        self.edited_at = self.clock()

    def group_size(self) -> int:
        """Return how many rows the next transaction takes."""
        return SMALL_GROUP_SIZE if self._has_edits() else GROUP_SIZE

    def rest(self, began_at: float) -> None:
        """Rest as long as the work since then took, while there are single edits."""
        if self._has_edits():
            self.sleep(min(self.clock() - began_at, MAX_REST_SECONDS))

    def _has_edits(self) -> bool:
        edited_at = self.edited_at
        return edited_at is not None and self.clock() - edited_at < EDIT_MEMORY_SECONDS
