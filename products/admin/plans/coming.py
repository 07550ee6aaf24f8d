"""What is to come: for one product, for the product at a later time, and for the catalogue."""

from collections.abc import Iterator
from datetime import datetime
from http import HTTPStatus
from typing import TypedDict
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext

from products.admin.base import Context, ModelAdmin, page_response, product_url
from products.admin.bulk_preview import PreviewLine, change_lines
from products.admin.formatting import counted, field_differences, field_label
from products.admin.plans.lines import value_text
from products.admin.plans.listing import may_plan
from products.admin.plans.plan_form import TYPED, Reading, reading_options
from products.admin.plans.wording import both_times, fields_text, time_text
from products.admin.preview import card_context
from products.admin.sentences.finding import in_words
from products.bootstrap import now
from products.changes import Change
from products.merging import differences
from products.plans.forecast import Foreseen, Outlook
from products.plans.plan import ClashRule, Plan, Step
from products.plans.times import readings
from products.product import Product
from products.scheduling import plans

MAX_SHOWN = 200  # products


class ComingEntry(TypedDict):
    """A step that changes the product: what it will be, when, and by which plan."""

    plan: Plan
    text: str
    at: datetime
    note: str


class FutureLine(TypedDict):
    """A product that will differ from now, and the plans behind it."""

    product: Product
    url: str
    lines: list[PreviewLine]
    causes: list[Plan]


def coming_context(request: HttpRequest, product_id: str) -> Context:
    """Return what the product's page shows of plans: those that run, and what is to come."""
    outlook = plans().coming(product_id)
    if outlook is None:
        return {"may_plan": may_plan(request)}
    coming = [entry for step in outlook.steps if (entry := _coming_entry(step))]
    return {
        "coming": coming,
        "coming_at": _typed(coming[0]["at"]) if coming else "",
        "running_plans": outlook.running,
        "may_plan": may_plan(request),
    }


def _coming_entry(step: Foreseen) -> ComingEntry | None:
    """Return the step in words; None for one that changes nothing and is no clash."""
    if not step.changed and not step.message:
        return None
    at = time_text(step.at)
    names = [name for name in step.changed if name in step.fields]
    values = ", ".join(_value(step, name) for name in names)
    if not values:
        text = gettext("Nothing changes on {time}").format(time=at)
    elif step.step is Step.START:
        text = gettext("{values} from {time}").format(values=values, time=at)
    else:
        text = gettext("back to {values} on {time}").format(values=values, time=at)
    return {"plan": step.plan, "text": text, "at": step.at, "note": in_words(step.message)}


def _value(step: Foreseen, name: str) -> str:
    value = value_text(step.after, name)
    if name == "price":
        return value
    if name in {"description", "features", "image"}:
        return gettext("another {field}").format(field=field_label(name).lower())
    return f"{field_label(name).lower()} {value}"


def edit_notes(change: Change) -> Iterator[str]:
    """Yield what a saved edit means for the plans that set the same fields."""
    changed = differences(change.before, change.after).keys() if change.before else set()
    outlook = plans().coming(change.product_id) if changed else None
    running = {plan.plan_id for plan in outlook.running} if outlook else set()
    for step in outlook.steps if outlook else ():
        shared = step.fields & changed
        if not shared:
            continue
        fields, at = fields_text(shared), time_text(step.at)
        if step.step is Step.START:
            yield _start_note(step, fields, at)
        elif step.plan.plan_id in running:
            yield f"“{step.plan.name}” has set {fields} until {at}: your value stays after that."


def _start_note(step: Foreseen, fields: str, at: str) -> str:
    if step.plan.clash_rule is ClashRule.APPLY:
        text = gettext("“{plan}” sets {fields} on {time}: the plan's value replaces yours then.")
    elif step.message:
        text = gettext(
            "“{plan}” sets {fields} on {time}: "
            "your value stays, and the plan leaves this product out."
        )
    else:
        text = gettext("“{plan}” sets {fields} on {time}.")
    return text.format(plan=step.plan.name, fields=fields, time=at)


class MomentField:
    """A time to look at: typed as a local time of the user's zone."""

    def __init__(self, text: str, reading: str) -> None:
        self.text = text[:16]
        self.error = ""
        self.readings: list[Reading] = []
        self.at = self._parse(reading) if text else None

    def _parse(self, reading: str) -> datetime | None:
        zone = ZoneInfo(timezone.get_current_timezone_name())
        try:
            typed = datetime.strptime(self.text, TYPED)  # noqa: DTZ007 # the user's zone
            found = readings(typed, zone)
        except (ValueError, OverflowError):
            self.error = gettext("Must be a day and a time, such as 2026-12-01 08:00.")
            return None
        if len(found) > 1:
            self.readings = reading_options(found, zone, reading)
        chosen = next((at for at in found if at.isoformat() == reading), found[0])
        if chosen <= now():
            self.error = gettext("Must be in the future. The history shows the past.")
            return None
        return chosen


def catalogue_view(admin: ModelAdmin, request: HttpRequest) -> HttpResponse:
    """Show which products will differ at a later time, and the plans behind it."""
    moment = MomentField(request.GET.get("at", ""), request.GET.get("reading", ""))
    found = sorted(_future_lines(moment.at), key=_name_of) if moment.at else []
    context: Context = {
        "title": gettext("The catalogue on another day"),
        "moment": moment,
        "when": both_times(moment.at, timezone.get_current_timezone_name()) if moment.at else "",
        "lines": found[:MAX_SHOWN],
        "count": counted(len(found)),
        "hidden_count": max(0, len(found) - MAX_SHOWN),
        "zone": timezone.get_current_timezone_name(),
    }
    response = page_response(admin, request, "plans/catalogue", context)
    response.status_code = HTTPStatus.BAD_REQUEST if moment.error else HTTPStatus.OK
    return response


def _name_of(line: FutureLine) -> str:
    return line["product"].name.casefold()


def _future_lines(at: datetime) -> Iterator[FutureLine]:
    for outlook in plans().outlooks().values():
        after = outlook.at(at)
        changed = differences(outlook.now, after)
        if changed:
            yield {
                "product": after,
                "url": f"{product_url('change', after.product_id)}?at={_typed(at)}",
                "lines": change_lines(changed, outlook.now.currency),
                "causes": _plans_behind(outlook, at),
            }


def _typed(at: datetime) -> str:
    return timezone.localtime(at).strftime(TYPED)


def _plans_behind(outlook: Outlook, at: datetime) -> list[Plan]:
    """Return the plans without which the product would not differ from now."""
    steps = [step for step in outlook.steps if step.at <= at and step.changed]
    return list({step.plan.plan_id: step.plan for step in steps}.values())


def product_at_view(admin: ModelAdmin, request: HttpRequest, product_id: str) -> HttpResponse:
    """Show one product as it will be at a later time."""
    moment = MomentField(request.GET.get("at", ""), request.GET.get("reading", ""))
    outlook = plans().outlook(product_id)
    if outlook is None:
        return HttpResponse(status=HTTPStatus.NOT_FOUND)
    after = outlook.at(moment.at) if moment.at else outlook.now
    context: Context = {
        "title": outlook.now.name,
        "subtitle": gettext("at a later time"),
        "moment": moment,
        "when": both_times(moment.at, timezone.get_current_timezone_name()) if moment.at else "",
        "fields": field_differences(outlook.now, after),
        "plans": _plans_behind(outlook, moment.at) if moment.at else [],
        "product": outlook.now,
        "zone": timezone.get_current_timezone_name(),
        **card_context(after),
    }
    response = page_response(admin, request, "plans/product_at", context)
    response.status_code = HTTPStatus.BAD_REQUEST if moment.error else HTTPStatus.OK
    return response
