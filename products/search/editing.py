"""Editing the synonyms of the search, and using the newest ones. Pure."""

from collections.abc import Callable, Set
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from products.errors import Conflict, DependencyUnavailable, Invalid
from products.permissions import Permission, require_permissions
from products.search.synonyms import DEFAULT_SYNONYMS, Synonyms, default_synonyms, parse_synonyms

MAX_LENGTH = 20_000  # characters
MAX_AGE = timedelta(seconds=10)
"""How long a process uses the synonyms that it has read."""


@dataclass(frozen=True, slots=True)
class SavedSynonyms:
    """A version of the synonyms, as staff typed them. Version 0 has the product's own."""

    text: str
    version: int = 0
    saved_by: str = ""
    saved_at: datetime | None = None


ORIGINAL = SavedSynonyms(DEFAULT_SYNONYMS)


class SynonymsChanged(Conflict):
    """Somebody else saved synonyms after the ones that this edit began with."""

    def __init__(self, saved_by: str) -> None:
        super().__init__(
            f"{saved_by} saved other synonyms meanwhile. Look at them, then save again."
        )


class SynonymTable(Protocol):
    """The saved versions. Each method may raise DependencyUnavailable."""

    def versions(self, limit: int) -> list[SavedSynonyms]:
        """Return the newest versions, newest first."""

    def add(self, saved: SavedSynonyms) -> bool:
        """Write a version; return False when it exists."""


@dataclass(frozen=True, slots=True)
class SynonymEditing:
    table: SynonymTable
    clock: Callable[[], datetime]

    def versions(self, limit: int) -> list[SavedSynonyms]:
        """Return the newest versions, newest first. Before the first one are the product's own."""
        return [*self.table.versions(limit), ORIGINAL][:limit]

    def newest(self) -> SavedSynonyms:
        """Return the version that searches use."""
        return self.versions(1)[0]

    def save(
        self, text: str, *, based_on: int, actor: str, permissions: Set[Permission]
    ) -> SavedSynonyms:
        """Save a new version over the one that the edit began with; the same text saves nothing.

        Raises: Invalid, SynonymsChanged, NotAllowed or DependencyUnavailable.
        """
        require_permissions(permissions, [Permission.CHANGE])
        text = "\n".join(line.rstrip() for line in text.splitlines()).strip() + "\n"
        if len(text) > MAX_LENGTH:
            raise Invalid({"text": [f"Must have at most {MAX_LENGTH} characters."]})
        try:
            parse_synonyms(text)
        except ValueError as error:
            raise Invalid({"text": [str(error)]}) from error
        newest = self.newest()
        if newest.text == text:
            return newest
        saved = SavedSynonyms(text, based_on + 1, actor, self.clock())
        if newest.version != based_on or not self.table.add(saved):
            raise SynonymsChanged(self.newest().saved_by)
        return saved


@dataclass(slots=True)
class CurrentSynonyms:
    """The newest synonyms, read again after MAX_AGE. Without the table, the last ones are used."""

    editing: SynonymEditing
    synonyms: Synonyms = field(default_factory=default_synonyms)
    text: str = DEFAULT_SYNONYMS
    read_at: datetime | None = None

    def __call__(self) -> Synonyms:
        now = self.editing.clock()
        if self.read_at is None or not timedelta() <= now - self.read_at < MAX_AGE:
            self.read_at = now
            self._read()
        return self.synonyms

    def _read(self) -> None:
        try:
            newest = self.editing.newest()
        except DependencyUnavailable:
            return
        if newest.text != self.text:
            self.synonyms, self.text = parse_synonyms(newest.text), newest.text
