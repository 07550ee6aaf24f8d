"""English sentences that remember how they were made, so that a page can show a translation.

The core has no framework: it raises errors with English sentences, which the API answers as they
are. The admin translates the template and fills in the values again.
"""

from typing import Self


class Sentence(str):
    """A sentence with its template and values."""

    template: str
    values: dict[str, object]

    def __new__(cls, template: str, values: dict[str, object]) -> Self:
        made = super().__new__(cls, template % values if values else template)
        made.template, made.values = template, values
        return made

    def __reduce__(self) -> tuple[type[Self], tuple[str, dict[str, object]]]:
        """Return what a copy is made of."""
        return type(self), (self.template, self.values)


def sentence(template: str, /, **values: object) -> Sentence:
    """Return the sentence made of a template such as "Use at most %(limit)s characters."."""
    return Sentence(template, values)
