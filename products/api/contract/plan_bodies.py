"""The bodies of plans in the contract. Those of requests are described next to their reader."""

from products.api.json_schema import (
    BOOLEAN,
    NUMBER,
    TEXT,
    TIME,
    VERSION,
    Schema,
    choice_of,
    described,
    list_of,
    map_of,
    nullable,
    object_of,
    ref,
)
from products.api.plan_fields import PLAN_REQUESTS
from products.plans.plan import PlanState, RowState, Step

_NAMED: dict[str, Schema] = {"planId": TEXT, "name": TEXT}
FUTURE_PLANS: dict[str, Schema] = {
    "plans": described(
        list_of(ref("NamedPlan")),
        "With asOf in the future, for staff: the plans that this state rests on.",
    )
}
_CHANGED = map_of(ref("Difference"))
_FACTS: dict[str, Schema] = {
    "name": TEXT,
    "reason": nullable(TEXT),
    "owner": TEXT,
    "state": ref("PlanStateEnum"),
    "clashRule": ref("ClashRuleEnum"),
    "startsAt": TIME,
    "endsAt": nullable(TIME),
    "zone": described(TEXT, "The time zone in which the times were typed."),
    "rows": described(NUMBER, "The number of products."),
    "counts": described(
        map_of(map_of(NUMBER)), "How many rows each step has left in each state, once it is made."
    ),
    "createdAt": TIME,
    "updatedAt": described(TIME, "When a person changed the plan last."),
    "updatedBy": TEXT,
    "startedAt": described(nullable(TIME), "When the start was complete."),
    "endedAt": described(nullable(TIME), "When the end was complete."),
    "nextStepAt": described(nullable(TIME), "When the next step is due; null when none is left."),
    "version": described(VERSION, "Counts what people did to the plan."),
}
_PLAN: dict[str, Schema] = {"planId": TEXT, **_FACTS, "statusUrl": TEXT}
_OVERLAPS: dict[str, Schema] = {"overlaps": list_of(ref("PlanOverlap"))}
_PAGE_END: dict[str, Schema] = {
    "count": NUMBER,
    "moreAvailable": BOOLEAN,
    "nextStartAt": nullable(TEXT),
}
_STEP: dict[str, Schema] = {
    "step": ref("StepEnum"),
    "at": TIME,
    "changed": _CHANGED,
    "message": described(TEXT, "Why the step will change nothing; empty if it will."),
}
_OUTCOME: dict[str, Schema] = {
    "state": ref("PlanRowStateEnum"),
    "version": described(nullable(VERSION), "The product's version after the step."),
    "changed": _CHANGED,
    "message": described(TEXT, "Why something was left as it is, and who changed it."),
    "receiptUrl": described(nullable(TEXT), "The receipt of the change that the step made."),
}


def _outcome(step: Step) -> Schema:
    return nullable(object_of(f"What became of the row at the {step}; null before it.", _OUTCOME))


PLAN_COMPONENTS: dict[str, Schema] = {
    **PLAN_REQUESTS,
    "Plan": object_of("Edits that start at one time, and perhaps end at another.", _PLAN),
    "CreatedPlan": object_of("A new plan, and where other plans meet it.", _PLAN | _OVERLAPS),
    "PlanPreview": object_of(
        "A plan as it would be made. Many generated clients read a new plan with it too, which has"
        " an ID.",
        {
            **_PLAN,
            "dryRun": BOOLEAN,
            "plannedRows": list_of(ref("PlanRow")),
            **_OVERLAPS,
        },
        optional={"planId", "statusUrl", "dryRun", "plannedRows"},
    ),
    "PlanPage": object_of("One page of plans.", {"plans": list_of(ref("Plan")), **_PAGE_END}),
    "PlanRow": object_of(
        "One product of a plan.",
        {
            "number": described(NUMBER, "The row's number in the plan, from 1."),
            "productId": TEXT,
            "name": TEXT,
            "edits": described({"type": "object"}, "The values that the start sets."),
            "basedOn": described(VERSION, "The product's version when the row was planned."),
            "foreseen": described(list_of(ref("ForeseenStep")), "The steps that are to come."),
            **{str(step): _outcome(step) for step in Step},
        },
    ),
    "PlanRowPage": object_of(
        "One page of the rows of a plan.", {"rows": list_of(ref("PlanRow")), **_PAGE_END}
    ),
    "ForeseenStep": object_of("A step to come, and what it will change as things are.", _STEP),
    "PlanOverlap": object_of(
        "A field that another plan sets at the same time.",
        {
            "productId": TEXT,
            "field": TEXT,
            "planId": described(TEXT, "The other plan."),
            "planName": TEXT,
            "wins": described(BOOLEAN, "Whether the new plan's value is set; else the other's."),
            "from": TIME,
            "until": described(nullable(TIME), "Null when neither plan ends."),
        },
    ),
    "PlanVersion": object_of(
        "What a person did to a plan.",
        {
            "version": VERSION,
            "user": TEXT,
            "at": TIME,
            "changed": described(_CHANGED, "Empty for the first version."),
        },
    ),
    "PlanHistory": object_of(
        "One page of the versions of a plan, newest first.",
        {"versions": list_of(ref("PlanVersion")), **_PAGE_END},
    ),
    "NamedPlan": object_of("A plan by its name.", _NAMED),
    "ProductOutlook": object_of(
        "What is to come for a product, if nobody edits it before.",
        {
            "productId": TEXT,
            "version": VERSION,
            "running": described(
                list_of(ref("NamedPlan")), "The plans whose values the product has now."
            ),
            "steps": list_of(ref("ProductStep")),
        },
    ),
    "ProductStep": object_of(
        "A step of a plan, and what it will change of the product.",
        {"planId": TEXT, "planName": TEXT, **_STEP},
    ),
    "PlanStateEnum": choice_of(PlanState),
    "PlanRowStateEnum": choice_of(RowState),
    "StepEnum": choice_of(Step),
}
