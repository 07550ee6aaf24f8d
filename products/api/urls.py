"""The API's addresses; they are final."""

from django.urls import path

from products.api import batch, history, views

urlpatterns = [
    path("products", views.Products.as_view(), name="products"),
    path("products:batch", batch.Batch.as_view(), name="batch"),
    path("products/<str:product_id>", views.OneProduct.as_view(), name="product"),
    path("products/<str:product_id>/changes", history.Changes.as_view(), name="changes"),
    path(
        "products/<str:product_id>/changes/<int:version>", history.Receipt.as_view(), name="receipt"
    ),
    path(
        "products/<str:product_id>/changes/<int:version>/restore",
        history.Restore.as_view(),
        name="restore",
    ),
]
