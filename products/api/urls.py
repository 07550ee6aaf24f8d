"""The URLs of the API's version 1.0. Clients depend on them, so they never change."""

from django.urls import path

from products.api import batch, history, views
from products.api.late_views import late_view

urlpatterns = [
    path("products", views.ProductList.as_view(), name="products"),
    path("products.csv", late_view("imports.ProductExport"), name="export"),
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
    path("products/<str:product_id>/plans", late_view("plans.ProductPlans"), name="product_plans"),
    path("plans", late_view("plans.PlanList"), name="plans"),
    path("plans/<str:plan_id>", late_view("plans.PlanDetail"), name="plan"),
    path("plans/<str:plan_id>/rows", late_view("plans.PlanRows"), name="plan_rows"),
    path("plans/<str:plan_id>/history", late_view("plans.PlanHistory"), name="plan_history"),
    path("plans/<str:plan_id>/end", late_view("plans.PlanEnd"), name="plan_end"),
    path("plans/<str:plan_id>/undo", late_view("plans.PlanUndo"), name="plan_undo"),
    path("imports", late_view("imports.ImportList"), name="imports"),
    path("jobs", late_view("jobs.JobList"), name="jobs"),
    path("jobs/<str:job_id>", late_view("jobs.JobDetail"), name="job"),
    path("jobs/<str:job_id>/rows", late_view("jobs.JobRows"), name="job_rows"),
    path("jobs/<str:job_id>/start", late_view("jobs.JobStart"), name="job_start"),
    path("jobs/<str:job_id>/cancel", late_view("jobs.JobCancel"), name="job_cancel"),
    path("jobs/<str:job_id>/undo", late_view("jobs.JobUndo"), name="job_undo"),
    path("jobs/<str:job_id>/decisions", late_view("jobs.JobDecisions"), name="job_decisions"),
    path(
        "jobs/<str:job_id>/rows/<int:number>/decisions",
        late_view("jobs.RowDecisions"),
        name="row_decisions",
    ),
]
