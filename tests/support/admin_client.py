"""Helpers of the admin tests: signed-in clients, addresses of pages, and form entries."""

import re
from html import unescape
from typing import Any

from django.contrib.admin.utils import quote
from django.contrib.auth.models import Group, User
from django.contrib.messages import get_messages
from django.test import Client

LIST, ADD = "/admin/products/product/", "/admin/products/product/add/"


def sign_in(
    name: str, group: str | None = "Product admins", *, superuser: bool = False, staff: bool = True
) -> Client:
    """Create the user, add it to the group, and return a client with its session."""
    user = User.objects.create(username=name, is_staff=staff, is_superuser=superuser)
    if group:
        user.groups.add(Group.objects.get(name=group))
    client = Client()
    client.force_login(user)
    return client


def page_url(product_id: str, name: str = "change") -> str:
    """Return the address of one of the product's pages."""
    return f"{LIST}{quote(product_id)}/{name}/"


def form_entries(**changes: Any) -> dict[str, Any]:
    """Return the form entries of the product of ``tests.support.builders.fields``."""
    return {
        "name": "Basic hosting",
        "description": "Hosting for a first site.",
        "price": "1500.00",
        "renewal_price": "",
        "currency": "ZAR",
        "billing_cycle": "one-time",
        "period": "",
        "features": "",
        "active": "on",
    } | changes


def current_entries(client: Client, product_id: str, **changes: Any) -> dict[str, Any]:
    """Return what a browser would send from the current change page, with these changes."""
    form = client.get(page_url(product_id)).context["adminform"].form
    return {
        field.html_name: field.value() if field.value() is not None else "" for field in form
    } | changes


def form_errors(response: Any) -> dict[str, list[str]]:
    """Return the errors of a refused form by field; fail if the form was not refused."""
    assert response.status_code == 200
    return dict(response.context["adminform"].form.errors)


def shown_entries(response: Any) -> dict[str, Any]:
    """Return the entries in the fields of the shown form, as strings."""
    values = {field.html_name: field.value() for field in response.context["adminform"].form}
    return {name: "on" if value is True else str(value) for name, value in values.items()}


def last_message(response: Any) -> str:
    """Return the newest message, without its button."""
    messages = [str(message) for message in get_messages(response.wsgi_request)]
    return unescape(re.sub(" <(button|span).*", "", messages[-1]))
