"""What the core says about planned changes."""

from django.utils.translation import gettext_noop

SAME = (
    gettext_noop("A plan has 1 to {limit} products; this one would have {count}."),
    gettext_noop("A plan that runs with an end keeps one."),
    gettext_noop("Must be a text of 1 to {limit} characters."),
    gettext_noop("Must be after the start."),
    gettext_noop("Must be the name of a time zone such as Africa/Johannesburg."),
    gettext_noop("Must be within {days} days of the start."),
    gettext_noop("Must be within {days} days."),
    gettext_noop("Must not be in the past."),
    gettext_noop("Name at least one field to change."),
    gettext_noop("No product is selected that this would change."),
    gettext_noop("Only a plan that runs can end early."),
    gettext_noop("Only a scheduled plan can be cancelled."),
    gettext_noop("Product {product_id} is in more than one row."),
    gettext_noop("The end of the plan had passed before this row could start."),
    gettext_noop("The plan has started, so {field} can't be changed."),
    gettext_noop("The plan is being changed at the same time."),
    gettext_noop("The plan is {state}, so it can't be changed."),
    gettext_noop("The plan is {state}."),
    gettext_noop("There is no such field."),
    gettext_noop("There is nothing to undo: nobody has changed the plan."),
    gettext_noop("Try again."),
    gettext_noop("Write {first} or {second}."),
    gettext_noop("{actor} may not start this plan any more."),
    gettext_noop("{time} does not exist in {zone}."),
    gettext_noop("{time} exists twice in {zone}."),
)
OTHER = {
    "A plan can't create a product: create it inactive and plan its activation.": gettext_noop(
        "A plan can't add a product. Add it as a draft, and plan to activate it."
    ),
    "Must be a time with its offset such as 2026-12-01T08:00:00Z, "
    "or a local time such as 2026-12-01T08:00 in {zone}.": gettext_noop(
        "Must be a day and a time in {zone}, such as 2026-12-01 08:00."
    ),
    "Product {product_id} is at version {version} by now.": gettext_noop(
        "Somebody has saved version {version} of {product_id} meanwhile."
    ),
    "The plan is at version {version} by now.": gettext_noop(
        "Somebody has changed the plan meanwhile. Look at it first."
    ),
    "The product does not exist, or its change log is damaged.": gettext_noop(
        "The product does not exist, or its history is damaged."
    ),
    "There is no plan {plan_id}.": gettext_noop("This plan does not exist."),
    "{actor} changed {field} in version {version} after the plan was made.": gettext_noop(
        "{actor} changed the {field} in version {version}, after the plan was made."
    ),
    "{actor} changed {field} in version {version}, so that value stays.": gettext_noop(
        "{actor} changed the {field} in version {version}, so that value stays."
    ),
}
