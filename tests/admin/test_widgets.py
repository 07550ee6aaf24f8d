"""The boxes of forms have the theme's attributes, and escape what they show."""

from typing import Any

import pytest
from django import forms
from unfold import widgets as theme

from products.admin.widgets import QuietErrorList, SelectWidget, TextareaWidget, TextInputWidget

CHOICES = [("a&b", "One <b>"), ("2", "Two"), (None, "None")]


def tags(html: str) -> list[str]:
    """Return the tags of the box itself, in the order of their attributes."""
    found = [tag.partition(">")[0].split("<")[-1] for tag in html.split("<")[1:]]
    return [" ".join(sorted(tag.split())) for tag in found if tag.startswith(BOXES)]


BOXES = ("input", "textarea", "select", "option")


@pytest.mark.parametrize("value", ["", None, 'a "quote" & <b>'])
@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (TextInputWidget, theme.UnfoldAdminTextInputWidget),
        (TextareaWidget, theme.UnfoldAdminTextareaWidget),
    ],
)
def test_a_text_box_is_that_of_the_theme(ours: Any, theirs: Any, value: str | None) -> None:
    made, expected = (
        widget(attrs={"size": 5}).render("name", value, {"id": "x", "required": True})
        for widget in (ours, theirs)
    )
    assert tags(made) == tags(expected)


@pytest.mark.parametrize("value", ["a&b", "2", 2, None, "", "other"])
def test_a_select_box_is_that_of_the_theme(value: object) -> None:
    made, expected = (
        widget(choices=CHOICES).render("name", value, {"id": "x"})
        for widget in (SelectWidget, theme.UnfoldAdminSelectWidget)
    )
    assert tags(made) == tags(expected)
    assert "One &lt;b&gt;" in made


def test_a_field_without_errors_renders_none() -> None:
    form = forms.Form({}, error_class=QuietErrorList)
    form.fields["name"] = forms.CharField()
    assert "required" in form.errors["name"].as_ul()
    assert QuietErrorList().as_ul() == ""
