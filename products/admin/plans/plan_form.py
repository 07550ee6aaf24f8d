"""The form of a plan: its times are local times of the zone that it shows next to them."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TypedDict, cast
from zoneinfo import ZoneInfo

from django import forms
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext, gettext_lazy
from unfold.widgets import UnfoldAdminTextInputWidget

from products.admin.formatting import field_label
from products.admin.plans.wording import CLASH_RULES
from products.admin.profile import zone_choices
from products.admin.sentences.finding import in_words, sentences_in_words
from products.admin.widgets import SelectWidget, TextInputWidget
from products.errors import Invalid
from products.plans.plan import MAX_NAME_LENGTH, ClashRule, Plan, PlanState
from products.plans.times import exists, readings, time_zone

TYPED = "%Y-%m-%dT%H:%M"
"""How a browser sends a local time."""
TIMES = ("starts_at", "ends_at")
TWICE = gettext_lazy(
    "{time} happens twice on that day in {zone}, because clocks change there. "
    "Choose one of the two times."
)
NEVER = gettext_lazy(
    "{time} does not exist on that day in {zone}, because clocks change there. "
    "Choose one of the two times."
)


class Reading(TypedDict):
    """One of two times that a local time can mean."""

    value: str
    label: str
    is_chosen: bool


class LocalTimeInput(UnfoldAdminTextInputWidget):  # type: ignore[misc] # it has no types
    input_type = "datetime-local"


class PlanForm(forms.Form):
    """The facts of a plan. The rules about them belong to the core."""

    name = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=MAX_NAME_LENGTH,
        widget=TextInputWidget,
        help_text=gettext_lazy("For colleagues, such as Summer sale."),
    )
    starts_at = forms.CharField(label=gettext_lazy("Starts"), required=False, widget=LocalTimeInput)
    ends_at = forms.CharField(
        label=gettext_lazy("Ends (optional)"),
        required=False,
        widget=LocalTimeInput,
        help_text=gettext_lazy(
            "Then each product goes back, unless somebody has changed it meanwhile."
        ),
    )
    zone = forms.ChoiceField(
        label=gettext_lazy("Time zone"), choices=zone_choices, widget=SelectWidget
    )
    reason = forms.CharField(
        label=gettext_lazy("Reason (optional)"),
        required=False,
        widget=TextInputWidget,
        help_text=gettext_lazy("Kept with each change in the history and the audit trail."),
    )
    clash_rule = forms.ChoiceField(
        label=gettext_lazy("If others change the same field"),
        choices=[(str(rule), text) for rule, text in CLASH_RULES.items()],
        widget=SelectWidget,
        help_text=gettext_lazy(
            "What happens at the start if somebody has saved another value by then."
        ),
    )

    def __init__(
        self,
        data: Mapping[str, str] | None = None,
        *,
        plan: Plan | None = None,
        **proposed: str,
    ) -> None:
        """Show ``proposed`` at first, or ``plan``, with its times as its zone shows them."""
        super().__init__(data, initial=_initial(plan) | proposed)
        self.plan = plan
        self.readings: dict[str, list[Reading]] = {}
        if plan is None:
            self.fields["starts_at"].help_text = gettext("Without a start it starts immediately.")
        elif plan.state is not PlanState.SCHEDULED:
            for name in ("starts_at", "clash_rule"):
                del self.fields[name]
        known = dict(zone_choices())
        if plan and plan.zone not in known:
            zone_field = cast(forms.ChoiceField, self.fields["zone"])
            zone_field.choices = [*known.items(), (plan.zone, plan.zone)]

    def clean(self) -> dict[str, object]:
        cleaned = super().clean() or {}
        if "zone" in cleaned:
            zone = time_zone(cleaned["zone"])
            for name in TIMES:
                if name in self.fields:
                    cleaned[name] = self._time(name, zone)
        if "clash_rule" in cleaned:
            cleaned["clash_rule"] = ClashRule(cleaned["clash_rule"])
        return cleaned

    def _time(self, name: str, zone: ZoneInfo) -> datetime | None:
        """Return the time; None without one, and with an error where it is not clear."""
        text = self.cleaned_data.get(name, "")
        if not text:
            return None
        if self.plan and not self.has_changed_time(name):
            known: datetime | None = getattr(self.plan, name)
            return known
        try:
            typed = datetime.strptime(text[:16], TYPED)  # noqa: DTZ007 # the zone has its own field
            found = readings(typed, zone)
        except (ValueError, OverflowError):
            self.add_error(name, gettext("Must be a day and a time, such as 2026-12-01 08:00."))
            return None
        return found[0] if len(found) == 1 else self._chosen(name, typed, zone, found)

    def has_changed_time(self, name: str) -> bool:
        """Whether the user typed another time or zone. A shown time has no seconds."""
        sent = (self.data.get(name), self.data.get("zone"))
        return sent != (self.initial.get(name), self.initial.get("zone"))

    def _chosen(
        self, name: str, typed: datetime, zone: ZoneInfo, found: list[datetime]
    ) -> datetime | None:
        """Return which of two readings the user chose; without a choice, offer both."""
        chosen = self.data.get(f"{name}_reading", "")
        self.readings[name] = reading_options(found, zone, chosen)
        for reading in found:
            if reading.isoformat() == chosen:
                return reading
        sentence = TWICE if exists(typed, zone) else NEVER
        self.add_error(name, sentence.format(time=f"{typed:%H:%M}", zone=zone.key))
        return None

    def add_refusal(self, refusal: Invalid) -> None:
        """Add the core's sentences as errors of the fields that they are about."""
        for field, sentences in refusal.errors.items():
            if field in self.fields:
                self.add_error(field, sentences_in_words(sentences))
            else:
                texts = [f"{field_label(field)}: {in_words(text)}" for text in sentences]
                self.add_error(None, texts)


def _initial(plan: Plan | None) -> dict[str, str]:
    if plan is None:
        zone_name = timezone.get_current_timezone_name()
        return {"zone": zone_name, "clash_rule": str(ClashRule.KEEP)}
    zone = time_zone(plan.zone)
    times = {"starts_at": plan.starts_at, "ends_at": plan.ends_at}
    shown = {name: at.astimezone(zone).strftime(TYPED) for name, at in times.items() if at}
    facts = {"name": plan.name, "reason": plan.reason, "zone": plan.zone}
    return {**facts, **shown, "clash_rule": str(plan.clash_rule)}


def reading_options(found: list[datetime], zone: ZoneInfo, chosen: str) -> list[Reading]:
    """Return the two times that a local time can mean, for the user to choose from."""
    return [
        {
            "value": at.isoformat(),
            "label": _reading_label(at, zone),
            "is_chosen": at.isoformat() == chosen,
        }
        for at in found
    ]


def _reading_label(at: datetime, zone: ZoneInfo) -> str:
    local = at.astimezone(zone)
    shown = date_format(local, "j M Y, H:i")
    return f"{shown} ({local:%Z}, {at.astimezone(UTC):%H:%M} UTC)"
