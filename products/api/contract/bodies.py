"""The bodies of requests and responses, as the components of the contract.

Request bodies are described next to the code that reads them. Response bodies are described here;
the tests of the API compare every response with them.
"""

from products.api.batch_items import BATCH_SCHEMAS
from products.api.contract.plan_bodies import FUTURE_PLANS, PLAN_COMPONENTS
from products.api.job_representation import JOB_COMPONENTS
from products.api.json_schema import (
    AMOUNT,
    ANY_VALUE,
    BOOLEAN,
    NUMBER,
    PRODUCT_ID,
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
from products.api.product_fields import EDITS, NEW_PRODUCT
from products.changes import ChangeType, Effect
from products.currency import CURRENCIES
from products.product import BillingCycle

_CHANGED = map_of(ref("Difference"))
_PAGE_END: dict[str, Schema] = {
    "count": NUMBER,
    "moreAvailable": BOOLEAN,
    "nextStartAt": nullable(TEXT),
}
_RECEIPT: dict[str, Schema] = {
    "productId": TEXT,
    "version": VERSION,
    "changeId": TEXT,
    "status": ref("StatusEnum"),
    "statusUrl": TEXT,
}
_DRY_RUN: dict[str, Schema] = {
    "dryRun": BOOLEAN,
    "changeType": described(
        nullable(TEXT), f"{', '.join(ChangeType)}; null when nothing would change."
    ),
    "changed": _CHANGED,
}
_PRODUCT: dict[str, Schema] = {
    "productId": PRODUCT_ID,
    "name": TEXT,
    "description": TEXT,
    "price": AMOUNT,
    "renewalPrice": nullable(AMOUNT),
    "currency": ref("CurrencyEnum"),
    "billingCycle": ref("BillingCycleEnum"),
    "period": TEXT,
    "features": list_of(TEXT),
    "active": BOOLEAN,
    "imageUrl": nullable(TEXT),
    "version": VERSION,
    "createdAt": TIME,
    "updatedAt": TIME,
    "updatedBy": described(TEXT, "For staff only."),
}
_ERROR: dict[str, Schema] = {
    "error": TEXT,
    "message": TEXT,
    "errors": map_of(list_of(TEXT)),
    "requestId": TEXT,
}
_CONFLICT: dict[str, Schema] = {
    "conflicts": described(
        map_of(ref("Clash")), "With 409: the fields that somebody else changed too."
    ),
    "version": described(VERSION, "With 409 and 412: the newest version."),
}
_BATCH_RESULT = {
    **_ERROR,
    **_CONFLICT,
    **_RECEIPT,
    **_DRY_RUN,
    "product": ref("Product"),
    "replayed": BOOLEAN,
}
_BATCH_RESULTS: dict[str, Schema] = {
    "results": list_of(ref("BatchResult")),
    "accepted": NUMBER,
    "unchanged": NUMBER,
    "refused": NUMBER,
}
COMPONENTS: dict[str, Schema] = {
    **BATCH_SCHEMAS,
    **JOB_COMPONENTS,
    **PLAN_COMPONENTS,
    "ProductCreation": NEW_PRODUCT,
    "ProductEdits": EDITS,
    "PatchedProductEdits": EDITS,  # the same body in PATCH, under the name that clients know
    "Product": object_of(
        "A product at one version.",
        _PRODUCT | FUTURE_PLANS,
        optional={"updatedBy", *FUTURE_PLANS},
    ),
    "ListedProduct": object_of(
        "A product, or with `fields` its id and those fields.",
        _PRODUCT | FUTURE_PLANS,
        optional={*_PRODUCT, *FUTURE_PLANS} - {"productId"},
    ),
    "ProductPage": object_of(
        "One page of the list. `currency` is there if the list is limited to one.",
        {
            "products": list_of(ref("ListedProduct")),
            **_PAGE_END,
            "total": described(NUMBER, "All products of the list, if one page holds them."),
            "removed": described(
                list_of(TEXT), "With updatedSince: ids of products that are not in the list now."
            ),
            "nextUpdatedSince": described(
                TIME, "With updatedSince: the next updatedSince, after the last page."
            ),
            "currency": ref("CurrencyEnum"),
            "search": ref("SearchState"),
        },
        optional={"currency", "search", "total", "removed", "nextUpdatedSince"},
    ),
    "SearchState": object_of(
        "How current a search is.",
        {
            "source": ref("SourceEnum"),
            "completeUpTo": described(TIME, "Later changes may be missing."),
        },
    ),
    "SavedProduct": object_of(
        "The product after the write. A dry run adds what would change, and the product once more"
        " as `product`, where the first clients look for it.",
        _PRODUCT | _DRY_RUN | {"product": ref("Product")},
        optional={"updatedBy", "product", *_DRY_RUN},
    ),
    "ReceiptSummary": object_of("What was accepted, and the URL of its receipt.", _RECEIPT),
    "Change": object_of(
        "The receipt: who changed what, and the state of each effect.",
        {
            **_RECEIPT,
            "changeType": ref("ChangeTypeEnum"),
            "user": TEXT,
            "source": TEXT,
            "requestId": TEXT,
            "reason": described(nullable(TEXT), "The writer's reason, if given."),
            "acceptedAt": TIME,
            "effects": ref("Effects"),
            "changed": _CHANGED,
            "before": nullable(
                object_of(
                    "The product before the change; null for a new product.",
                    _PRODUCT,
                    optional={"updatedBy"},
                )
            ),
            "after": ref("Product"),
        },
    ),
    "ChangePage": object_of(
        "One page of a product's history.", {"changes": list_of(ref("Change")), **_PAGE_END}
    ),
    "Effects": object_of(
        "The effects of a change.", {str(effect): ref("EffectState") for effect in Effect}
    ),
    "EffectState": object_of(
        "The state of one effect of a change.",
        {
            "state": ref("StateEnum"),
            "at": nullable(TIME),
            "error": TEXT,
            "attempts": NUMBER,
            "lastTriedAt": TIME,
            "waitingFor": described(
                TEXT, "The unavailable service that this effect waits for. It is retried."
            ),
            "discardedBy": described(TEXT, "Who discarded this effect."),
            "reason": described(TEXT, "Why it was discarded."),
        },
        optional={"error", "attempts", "lastTriedAt", "waitingFor", "discardedBy", "reason"},
    ),
    "Difference": object_of(
        "A field before and after a change.", {"before": ANY_VALUE, "after": ANY_VALUE}
    ),
    "Clash": object_of(
        "The values of a field that two writers changed.",
        {"base": ANY_VALUE, "yours": ANY_VALUE, "theirs": ANY_VALUE},
    ),
    "Error": object_of("The form of all error responses.", _ERROR | _CONFLICT, optional=_CONFLICT),
    "BatchResult": object_of(
        "The result of one item: the status code and content of the same write sent alone. A"
        " refused item has the id that the request named.",
        {"code": NUMBER, **_BATCH_RESULT},
        optional=_BATCH_RESULT,
    ),
    "BatchResults": object_of("The results, in the order of the items.", _BATCH_RESULTS),
    "BatchError": object_of(
        "A batch that was refused as a whole; `results` shows the items that caused it, if any.",
        _ERROR | _CONFLICT | _BATCH_RESULTS,
        optional=_CONFLICT | _BATCH_RESULTS,
    ),
    "BillingCycleEnum": choice_of(BillingCycle),
    "ChangeTypeEnum": choice_of(ChangeType),
    "CurrencyEnum": described(choice_of(sorted(CURRENCIES)), "ISO 4217; ZAR by default."),
    "SourceEnum": choice_of(("index", "table")),
    "StateEnum": choice_of(
        ("pending", "retrying", "failed", "done", "discarded", "not configured")
    ),
    "StatusEnum": choice_of(("accepted", "stored", "complete", "failed")),
}
"""Every body by its name, which generated clients use."""
