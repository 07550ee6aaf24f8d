"""What the tests of the admin share: people who are signed in, the pages' addresses, and what a form holds."""

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
    user = User.objects.create(username=name, is_staff=staff, is_superuser=superuser)
    if group:
        user.groups.add(Group.objects.get(name=group))
    client = Client()
    client.force_login(user)
    return client


def page_url(product_id: str, name: str = "change") -> str:
    return f"{LIST}{quote(product_id)}/{name}/"


def form_entries(**changes: Any) -> dict[str, Any]:
    """All that the form sends for the product of ``tests.support.builders.fields``."""
    return {
        "name": "Basic hosting",
        "description": "Hosting for a first site.",
        "price": "1500.00",
        "renewal_price": "",
        "currency": "ZAR",
        "billing_cycle": "one-time",
        "period": "",
        "features": "",
    } | changes


def current_entries(client: Client, product_id: str, **changes: Any) -> dict[str, Any]:
    """What a browser would send from the change page as it is now, with these entries changed."""
    form = client.get(page_url(product_id)).context["adminform"].form
    return {
        field.html_name: field.value() if field.value() is not None else "" for field in form
    } | changes


def form_errors(response: Any) -> dict[str, list[str]]:
    """The sentences of a refused form by field; a form that was not refused fails here."""
    assert response.status_code == 200
    return dict(response.context["adminform"].form.errors)


def shown_entries(response: Any) -> dict[str, Any]:
    """What the form now holds in its fields, as strings."""
    return {field.html_name: str(field.value()) for field in response.context["adminform"].form}


def last_message(response: Any) -> str:
    """The newest message without the button in it; older ones stay until a page shows them."""
    return unescape(
        re.sub(
            " <button.*", "", [str(message) for message in get_messages(response.wsgi_request)][-1]
        )
    )
