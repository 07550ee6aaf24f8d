"""What staff do with a plan: edit, postpone, end early, cancel, and undo."""

from collections.abc import Callable
from datetime import timedelta
from http import HTTPStatus

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext, gettext_lazy

from products.admin.base import Context, ModelAdmin, page_response, version_parameter
from products.admin.plans.plan_form import PlanForm
from products.admin.plans.plan_page import plan_or_404
from products.admin.plans.wording import state_text
from products.admin.refusals import show_refusal
from products.admin.sentences.finding import refusal_text
from products.admin.staff_writes import StaffWrites
from products.bootstrap import now
from products.errors import CatalogueError, Invalid
from products.plans.plan import Plan, PlanState, PlanStateConflict, PlanVersionMismatch

DELAYS = {
    "hour": (gettext_lazy("1 hour"), timedelta(hours=1)),
    "day": (gettext_lazy("1 day"), timedelta(days=1)),
    "week": (gettext_lazy("1 week"), timedelta(weeks=1)),
}
END_IN_THE_PAST = gettext_lazy(
    "Must be in the future. To end the plan now, go back and choose End now."
)
NOT_EDITABLE = gettext_lazy("The plan can't be edited any more.")


def edit_view(admin: ModelAdmin, request: HttpRequest, plan_id: str) -> HttpResponse:
    """Show or save the facts of a plan."""
    plan = plan_or_404(plan_id)
    if plan.state not in (PlanState.SCHEDULED, PlanState.RUNNING):
        messages.error(request, f"{NOT_EDITABLE} {state_text(plan)}.")
        return redirect("admin:products_product_plan", plan_id)
    is_sent = request.method == "POST"
    form = PlanForm(request.POST.dict() if is_sent else None, plan=plan)
    version = _version(request, plan)
    if is_sent and form.is_valid():
        changed = _save(request, form, plan, version)
        if changed:
            saved, same = gettext("Saved."), gettext("Nothing was different.")
            outcome = saved if changed != plan else same
            messages.success(request, f"{outcome} {state_text(changed)}.")
            return redirect("admin:products_product_plan", plan_id)
        version = plan.version  # the user has seen what others changed
    context: Context = {
        "title": gettext("Edit {name}").format(name=plan.name),
        "form": form,
        "plan": plan,
        "version": version,
    }
    response = page_response(admin, request, "plans/edit", context)
    response.status_code = HTTPStatus.BAD_REQUEST if form.errors else HTTPStatus.OK
    return response


def _save(request: HttpRequest, form: PlanForm, plan: Plan, version: int) -> Plan | None:
    """Save the form's facts. Return None, with errors in the form, when they are refused."""
    if version != plan.version:
        form.add_error(None, _newer_sentence(plan))
        return None
    facts = {name: form.cleaned_data[name] for name in form.fields}
    end = facts["ends_at"]
    if plan.state is PlanState.RUNNING and end and end != plan.ends_at and end <= now():
        form.add_error("ends_at", END_IN_THE_PAST)
        return None
    try:
        return StaffWrites(request).change_plan(plan.plan_id, facts, version=version)
    except PlanVersionMismatch as conflict:
        form.add_error(None, _newer_sentence(conflict.plan))
    except PlanStateConflict as conflict:
        form.add_error(None, refusal_text(conflict))
    except Invalid as refusal:
        form.add_refusal(refusal)
    return None


def _newer_sentence(plan: Plan) -> str:
    text = gettext(
        "{actor} has changed the plan meanwhile: {state}. "
        "Your entries are kept; save again to put them in place of theirs."
    )
    return text.format(actor=plan.updated_by, state=state_text(plan))


def _action(act: Callable[[HttpRequest, Plan], Plan]) -> Callable[..., HttpResponse]:
    """Return the view that acts on a plan, and then shows the plan, or why it was refused."""

    def view(admin: ModelAdmin, request: HttpRequest, plan_id: str) -> HttpResponse:
        plan = plan_or_404(plan_id)
        try:
            changed = act(request, plan)
            admin.message_user(request, f"{changed.name}: {state_text(changed)}.")
        except CatalogueError as refusal:
            show_refusal(admin, request, refusal)
        return redirect("admin:products_product_plan", plan_id)

    return view


def _postpone(request: HttpRequest, plan: Plan) -> Plan:
    """Move both times; of a plan that runs, the end."""
    _, delay = DELAYS.get(request.POST.get("by", ""), ("", timedelta()))
    facts = {"ends_at": plan.ends_at + delay} if plan.ends_at else {}
    if plan.state is PlanState.SCHEDULED:
        facts["starts_at"] = plan.starts_at + delay
    return StaffWrites(request).change_plan(plan.plan_id, facts, version=_version(request, plan))


def _version(request: HttpRequest, plan: Plan) -> int:
    """Return the version that the page showed: what others changed since must be seen first."""
    return version_parameter(request, "version") or plan.version


def _cancel(request: HttpRequest, plan: Plan) -> Plan:
    return StaffWrites(request).cancel_plan(plan.plan_id, version=_version(request, plan))


def _end(request: HttpRequest, plan: Plan) -> Plan:
    return StaffWrites(request).end_plan(plan.plan_id, version=_version(request, plan))


def _undo(request: HttpRequest, plan: Plan) -> Plan:
    return StaffWrites(request).undo_plan(plan.plan_id)


postpone_view = _action(_postpone)
cancel_view = _action(_cancel)
end_view = _action(_end)
undo_view = _action(_undo)
