"""What the core says about products, their rules and their conflicts."""

from django.utils.translation import gettext_noop

REASONS = (
    gettext_noop("Undo of version {version}"),
    gettext_noop("Everything restored from version {version}"),
    gettext_noop("{label} restored from version {version}"),
)
"""The reasons of changes that no person has typed."""
SAME = (
    *REASONS,
    gettext_noop("Another request changed {product_id} at the same moment."),
    gettext_noop("Can mean {larger} or {smaller}; write one of these."),
    gettext_noop("Entry {number}: {refusal}"),
    gettext_noop("Has signs of two currencies."),
    gettext_noop("Is in {named}, but the currency is {currency}."),
    gettext_noop("Is not written with a {mark}."),
    gettext_noop("Must be 1 to 64 letters, digits, hyphens or underscores."),
    gettext_noop("Must be a list of texts."),
    gettext_noop("Must be a number such as 10, -5 or 12.50."),
    gettext_noop("Must be a whole amount in {currency}."),
    gettext_noop("Must be an amount such as 1500.00, 1 500,00 or R1 500."),
    gettext_noop("Must be between {minimum} and {maximum}."),
    gettext_noop("Must be one of {cycles}."),
    gettext_noop("Must be text."),
    gettext_noop("Must have at most {limit} characters."),
    gettext_noop("Must have at most {limit} decimal places."),
    gettext_noop("Must have at most {limit} entries; it has {count}."),
    gettext_noop("Must have {minimum} to {limit} characters; it has {length}."),
    gettext_noop("Must not contain control characters."),
    gettext_noop("Say why, in {minimum} to {limit} characters."),
    gettext_noop("The name {name} belongs to product {product_id}, perhaps a deactivated one."),
    gettext_noop("There is already a product {product_id}, perhaps a deactivated one."),
    gettext_noop("There is no product {product_id}."),
    gettext_noop("This change is not waiting to be {effect} any more."),
    gettext_noop("This field is required."),
    gettext_noop("Too many writers changed the product at the same time."),
    gettext_noop("Version {version} of {product_id} was altered after it was accepted."),
    gettext_noop("{writes} of the writes can't be made, so none was."),
    # The words that searches take to mean the same.
    gettext_noop("Each phrase of line {number} must have 1 to {limit} words."),
    gettext_noop("Line {number} must have 2 to {limit} phrases, with commas between."),
    gettext_noop("Must have at most {limit} lines; it has {count}."),
    gettext_noop("{actor} saved other synonyms meanwhile. Look at them, then save again."),
)
OTHER = {
    "A one-time product is not renewed; leave this empty or choose a cycle.": gettext_noop(
        "A one-time product is not renewed. Leave this empty, or choose a billing cycle."
    ),
    "An accepted change must be stored; fix the cause and retry.": gettext_noop(
        "A change that was accepted must be saved. Remove the cause, then retry."
    ),
    "Must be an ISO 4217 currency code such as ZAR.": gettext_noop(
        "Must be a currency code of three letters, such as ZAR."
    ),
    'Must be an amount such as "1500.00".': gettext_noop("Must be an amount such as “1500.00”."),
    "Must be an image that was uploaded here.": gettext_noop("Must be an uploaded image."),
    "Must be an image that was uploaded here; there is none at this address.": gettext_noop(
        "This image is not stored any more. Please upload it again."
    ),
    "Must be true or false.": gettext_noop("Must be yes or no."),
    "Others saved up to version {version} meanwhile and changed {fields} too.": gettext_noop(
        "Others have saved meanwhile, and changed {fields} too."
    ),
    "Product {product_id} has no version {version}.": gettext_noop(
        "This product has no version {version}."
    ),
    "The product is at version {version} by now.": gettext_noop(
        "Somebody has saved version {version} meanwhile. Look at it first."
    ),
    "There is no such field, or it can't be written.": gettext_noop(
        "There is no such field, or it can't be changed."
    ),
    "This requires the permission {permissions}.": gettext_noop(
        "Your account may not do this. It needs the right “{permissions}”."
    ),
    "This requires the permissions {permissions}.": gettext_noop(
        "Your account may not do this. It needs the rights “{permissions}”."
    ),
    "Too many writers are changing this at the same time; nothing was saved.": gettext_noop(
        "Too many people are changing this at the same time; nothing was saved."
    ),
    # Dependencies: see DEPENDENCIES in words.py.
    "{dependency} does not answer at the moment.": gettext_noop(
        "{dependency} can't be reached just now."
    ),
    "{dependency} did not answer in time just now.": gettext_noop(
        "{dependency} can't be reached just now."
    ),
    "{dependency} is busy with others at the moment.": gettext_noop(
        "{dependency} is busy just now."
    ),
    "{dependency} takes too long to store records.": gettext_noop("{dependency} is slow just now."),
    "Waiting for {dependency}, retried automatically: {refusal}": gettext_noop(
        "Waiting for {dependency}, and retried automatically: {refusal}"
    ),
}
