"""The URLs of the API's version 1.0. Clients depend on them, so they never change."""

from django.urls import path

from products.api import batch, history, views

urlpatterns = [
    path("products", views.ProductList.as_view(), name="products"),
    path("products:batch", batch.ProductBatch.as_view(), name="batch"),
    path("products/<str:product_id>", views.ProductDetail.as_view(), name="product"),
    path("products/<str:product_id>/changes", history.ChangeList.as_view(), name="changes"),
    path(
        "products/<str:product_id>/changes/<int:version>",
        history.ChangeReceipt.as_view(),
        name="receipt",
    ),
    path(
        "products/<str:product_id>/changes/<int:version>/restore",
        history.RestoreVersion.as_view(),
        name="restore",
    ),
]
