"""A page for staff that needs no data: what Django and its middleware cost."""

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import path


def page(request: HttpRequest) -> HttpResponse:
    return HttpResponse(f"<!DOCTYPE html><title>Bare</title><p>{request.user}</p>")


def health(request: HttpRequest) -> HttpResponse:
    return HttpResponse("ok")


urlpatterns = [path("admin/bare/", admin.site.admin_view(page)), path("healthz", health)]
