"""Everything the catalogue refuses, sorted by what the caller must do. Pure."""

from collections.abc import Mapping


class CatalogueError(Exception):
    """Anything the catalogue refuses. Its four kinds below say what the caller must do."""


class Invalid(CatalogueError):
    """The request itself is wrong: change it. ``errors`` holds sentences by field name."""

    def __init__(self, errors: Mapping[str, list[str]]) -> None:
        self.errors = dict(errors)
        super().__init__(
            " ".join(f"{field}: {' '.join(texts)}" for field, texts in self.errors.items())
        )


class NotFound(CatalogueError):
    """What was asked for does not exist."""


class Conflict(CatalogueError):
    """The request was right, but the catalogue has moved: look again, then decide."""


class Unavailable(CatalogueError):
    """Nothing is wrong with the request; an engine is away. The same request may succeed later."""


class ProductNotFound(NotFound):
    def __init__(self, product_id: str, sentence: str = "") -> None:
        super().__init__(sentence or f"There is no product {product_id!r}.")


class NotYetCreated(ProductNotFound):
    """The product is there now, but was not at the moment that was asked for."""

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
    def __init__(self, name: str, product_id: str) -> None:
        self.name, self.product_id = name, product_id
        super().__init__(
            f"The name {name!r} belongs to product {product_id!r}, perhaps a deactivated one."
        )


class VersionTaken(Conflict):
    """Somebody else appended this version first; read the newest change and try again."""


class CorruptChange(Exception):
    """The stored change is not the one that was accepted: its hash does not fit. Never retried by itself."""


class EffectRefused(Exception):
    """An engine refused an effect for good, e.g. a document it can't index. Never retried by itself."""


class DependencyUnavailable(Unavailable):
    """An engine did not answer, or answered that it can't just now, or does not take us for whom we are."""

    def __init__(self, dependency: str, state: str = "does not answer at the moment") -> None:
        self.dependency = dependency
        super().__init__(f"{dependency} {state}.")
