"""Faults inside of a process of the product: its clock, and the look-up of names.

The harness writes files into a folder, and the processes of a game with these faults read them:
their settings are ``tests.gameday.faulty_settings``.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

FOLDER_VARIABLE, PROCESS_VARIABLE = "GAMEDAY_FAULTS", "GAMEDAY_PROCESS"
NAMES = "names"


def clock_file(process: str) -> str:
    """Return the name of the file with the seconds by which a process's clock is wrong."""
    return f"clock of {process}"


@dataclass(frozen=True)
class ProcessFaults:
    """The folder with the faults of one game."""

    folder: Path

    @contextmanager
    def wrong_clock(self, process: str, seconds: float) -> Iterator[None]:
        """Let the clock of a process be wrong until the block ends."""
        yield from self._file(clock_file(process), str(seconds))

    @contextmanager
    def hanging_names(self) -> Iterator[None]:
        """Let each look-up of a name fail after a while until the block ends."""
        yield from self._file(NAMES, "")

    def _file(self, name: str, content: str) -> Iterator[None]:
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / name
        path.write_text(content)
        try:
            yield
        finally:
            path.unlink(missing_ok=True)
