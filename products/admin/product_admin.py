"""The admin of products: its list and its form, and the addresses of all other pages."""

import logging
from collections.abc import Callable

from django.contrib.admin.models import LogEntry
from django.db import DatabaseError, transaction
from django.http import HttpRequest
from django.urls import URLPattern

from products.admin.base import user_of
from products.admin.form_page import ProductFormPage
from products.admin.list_page import ProductList
from products.admin.urls import product_urls
from products.models import Product
from products.permissions import Permission

logger = logging.getLogger(__name__)


class ProductAdmin(ProductList, ProductFormPage):
    """The list and the form. All other pages are functions, which ``urls`` lists."""

    def get_urls(self) -> list[URLPattern]:
        return [*product_urls(self), *super().get_urls()]

    def log_addition(  # type: ignore[override] # Django does not read the entry
        self, request: HttpRequest, obj: Product, message: object
    ) -> LogEntry | None:
        return _best_effort(super().log_addition, request, obj, message)

    def log_change(  # type: ignore[override] # as above
        self, request: HttpRequest, obj: Product, message: object
    ) -> LogEntry | None:
        return _best_effort(super().log_change, request, obj, message)

    def has_plan_permission(self, request: HttpRequest) -> bool:
        return user_of(request).has_perm(Permission.PLAN)

    def has_operate_permission(self, request: HttpRequest) -> bool:
        return user_of(request).has_perm(Permission.OPERATE)


def _best_effort(log: Callable[..., LogEntry], *arguments: object) -> LogEntry | None:
    """Write to Django's own log, which must not fail: the catalogue has accepted the change."""
    try:
        with transaction.atomic():
            return log(*arguments)
    except DatabaseError as fault:
        logger.warning("admin log entry not written", extra={"fault": repr(fault)})
        return None
