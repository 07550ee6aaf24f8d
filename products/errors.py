"""The errors of the catalogue, sorted by what the caller has to do about them. Pure."""

from collections.abc import Mapping, Sequence


class CatalogueError(Exception):
    """A refusal of the catalogue. Its five kinds, below, say what the caller has to do."""


class Invalid(CatalogueError):
    """The request itself is wrong and must be changed. ``errors`` holds sentences by field name."""

    def __init__(self, errors: Mapping[str, list[str]]) -> None:
        self.errors = dict(errors)
        sentences = [f"{field}: {' '.join(texts)}" for field, texts in self.errors.items()]
        super().__init__(" ".join(sentences))


class NotFound(CatalogueError):
    """The requested thing does not exist."""


class Conflict(CatalogueError):
    """The request is valid, but it does not fit the current state: read that, then decide."""


class NotAllowed(CatalogueError):
    """The caller lacks permissions for this. ``permissions`` holds their names."""

    def __init__(self, permissions: Sequence[str], sentence: str = "") -> None:
        self.permissions = list(permissions)
        noun = "permission" if len(self.permissions) == 1 else "permissions"
        names = " and ".join(self.permissions)
        super().__init__(sentence or f"This requires the {noun} {names}.")


class Unavailable(CatalogueError):
    """A dependency is unavailable. The same request may succeed later."""


class IndexMissing(Unavailable):
    """The table lacks indexes, or DynamoDB still fills them: it is from an earlier release."""

    def __init__(self, names: Sequence[str]) -> None:
        noun = "index" if len(names) == 1 else "indexes"
        super().__init__(
            f"The table lacks the {noun} {', '.join(names)}. `manage.py add_indexes` adds what it "
            "lacks."
        )


class ProductNotFound(NotFound):
    def __init__(self, product_id: str, sentence: str = "") -> None:
        super().__init__(sentence or f"There is no product {product_id!r}.")


class NotYetCreated(ProductNotFound):
    """The product exists now, but did not at the requested time."""

    def __init__(self, product_id: str, created_at: str) -> None:
        super().__init__(
            product_id, f"Product {product_id!r} was created at {created_at}, after that time."
        )


class ChangeNotFound(NotFound):
    def __init__(self, product_id: str, version: int) -> None:
        super().__init__(f"Product {product_id!r} has no version {version}.")


class ProductExists(Conflict):
    def __init__(self, product_id: str) -> None:
        self.product_id = product_id
        super().__init__(f"There is already a product {product_id!r}, perhaps a deactivated one.")


class NameTaken(Conflict):
    def __init__(self, name: str, product_id: str, sentence: str = "") -> None:
        self.name = name
        self.product_id = product_id
        belongs = f"The name {name!r} belongs to product {product_id!r}, perhaps a deactivated one."
        super().__init__(sentence or belongs)


class VersionTaken(Conflict):
    """Another writer appended this version first: read the newest change and try again."""


class CorruptChange(Exception):
    """A stored change differs from the accepted one: its hash does not match. Needs a person."""


class EffectRefused(Exception):
    """A dependency rejected an effect permanently, such as a document it can't index."""


class DependencyUnavailable(Unavailable):
    """A dependency timed out, reported that it is unavailable, or rejected our credentials."""

    def __init__(self, dependency: str, state: str = "does not answer at the moment") -> None:
        self.dependency = dependency
        super().__init__(f"{dependency} {state}.")


class DependencyNeedsOperator(DependencyUnavailable):
    """A dependency is in a state that does not pass; the sentence says what an operator does."""
