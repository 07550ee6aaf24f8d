"""The peer's GET /products/{id} and GET /products, with the same content as the product's."""

import base64
import json
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import path
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from tests.bench.peer.models import Product


class ProductSerializer(serializers.Serializer):
    productId = serializers.CharField()
    name = serializers.CharField()
    description = serializers.CharField()
    price = serializers.CharField()
    renewalPrice = serializers.CharField(allow_null=True)
    currency = serializers.CharField()
    billingCycle = serializers.CharField()
    period = serializers.CharField()
    features = serializers.ListField(child=serializers.CharField())
    version = serializers.IntegerField()
    createdAt = serializers.CharField()
    updatedAt = serializers.CharField()


class Products(APIView):
    def get(self, request: Request) -> Response:
        cursor = request.query_params.get("startAt")
        start = json.loads(base64.urlsafe_b64decode(cursor)) if cursor else None
        found = Product.by_created.query("ACTIVE", limit=25, last_evaluated_key=start)
        products = ProductSerializer(list(found), many=True).data
        last = found.last_evaluated_key
        following = base64.urlsafe_b64encode(json.dumps(last).encode()).decode() if last else None
        return Response({"products": products, "count": len(products), "nextStartAt": following})


class OneProduct(APIView):
    def get(self, request: Request, product_id: str) -> Response:
        try:
            product: Any = Product.get(product_id, consistent_read=True)
        except Product.DoesNotExist:
            raise Http404 from None
        if product.activeFlag != "ACTIVE":
            raise Http404
        return Response(ProductSerializer(product).data)


def healthz(request: HttpRequest) -> HttpResponse:
    return HttpResponse("ok")


urlpatterns = [
    path("healthz", healthz),
    path("products", Products.as_view()),
    path("products/<str:product_id>", OneProduct.as_view()),
]
