"""The admin of products: its list and its form, and the addresses of all other pages."""

from django.http import HttpRequest
from django.urls import URLPattern

from products.admin.base import user_of
from products.admin.form_page import ProductFormPage
from products.admin.list_page import ProductList
from products.admin.urls import product_urls
from products.permissions import Permission


class ProductAdmin(ProductList, ProductFormPage):
    """The list and the form. All other pages are functions, which ``urls`` lists."""

    def get_urls(self) -> list[URLPattern]:
        return [*product_urls(self), *super().get_urls()]

    def has_operate_permission(self, request: HttpRequest) -> bool:
        return user_of(request).has_perm(Permission.OPERATE)
