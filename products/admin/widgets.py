"""Boxes of forms in the theme's look, made without templates.

The theme renders up to three templates for a box, and one more for each option of a select box.
"""

from functools import lru_cache
from typing import Any

from django.forms.utils import ErrorList, flatatt
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from unfold.widgets import (
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

INPUT = '<div class="max-w-2xl relative w-full"><input type="{}" name="{}"{}></div>'
TEXTAREA = '<textarea name="{}"{}>\n{}</textarea>'
SELECT = (
    '<div class="grow relative max-w-2xl"><select name="{}"{}>{}</select>'
    '<span aria-hidden="true" class="material-symbols-outlined absolute pointer-events-none'
    ' mr-[12px] right-0 top-1/2 text-base-400 dark:text-base-500 -translate-y-1/2">'
    "expand_more</span></div>"
)
OPTION = '<option value="{}">{}</option>'
CHOSEN_OPTION = '<option value="{}" selected>{}</option>'


class QuietErrorList(ErrorList):
    """The errors of a field. Django renders a template also if there are none."""

    def as_ul(self) -> SafeString:
        return super().as_ul() if self else SafeString()


class TextInputWidget(UnfoldAdminTextInputWidget):  # type: ignore[misc] # it has no types
    """A box for a text on one line."""

    def render(
        self, name: str, value: Any, attrs: dict[str, Any] | None = None, renderer: Any = None
    ) -> SafeString:
        attributes = self.build_attrs(self.attrs, attrs)
        shown = self.format_value(value)
        if shown is not None:
            attributes["value"] = str(shown)
        return format_html(INPUT, self.input_type, name, flatatt(attributes))


class TextareaWidget(UnfoldAdminTextareaWidget):  # type: ignore[misc] # it has no types
    """A box for a text on several lines."""

    def render(
        self, name: str, value: Any, attrs: dict[str, Any] | None = None, renderer: Any = None
    ) -> SafeString:
        attributes = self.build_attrs(self.attrs, attrs)
        return format_html(TEXTAREA, name, flatatt(attributes), self.format_value(value) or "")


class SelectWidget(UnfoldAdminSelectWidget):  # type: ignore[misc] # it has no types
    """A select box of plain choices, without groups."""

    def render(
        self, name: str, value: Any, attrs: dict[str, Any] | None = None, renderer: Any = None
    ) -> SafeString:
        attributes = self.build_attrs(self.attrs, attrs)
        chosen = "" if value is None else str(value)
        choices = tuple((choice, str(label)) for choice, label in self.choices)
        return format_html(SELECT, name, flatatt(attributes), _options(choices, chosen))


@lru_cache(maxsize=64)
def _options(choices: tuple[tuple[object, str], ...], chosen: str) -> SafeString:
    """Return the options. Most pages ask for the same ones."""
    values = (("" if value is None else str(value), label) for value, label in choices)
    options = (_option(value, label, is_chosen=value == chosen) for value, label in values)
    return format_html_join("", "{}", ((option,) for option in options))


def _option(value: str, label: object, *, is_chosen: bool) -> SafeString:
    return format_html(CHOSEN_OPTION if is_chosen else OPTION, value, label)
