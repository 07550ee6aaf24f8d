"""The product's wiring, built once a process; a test with other settings builds it again."""

from products import bootstrap, maintenance, scheduling
from products.api import health


def forget_wiring() -> None:
    """Drop everything that the wiring has built."""
    wired = (*vars(bootstrap).values(), *vars(maintenance).values(), *vars(scheduling).values())
    for made in wired:
        if hasattr(made, "cache_clear"):
            made.cache_clear()
    health.READINESS.forget()
