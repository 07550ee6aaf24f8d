"""The URLs of the API's version 1.0. Clients depend on them, so they never change."""

from django.urls import path

from products.api import batch, history, imports, jobs, plans, views

urlpatterns = [
    path("products", views.ProductList.as_view(), name="products"),
    path("products.csv", imports.ProductExport.as_view(), name="export"),
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
    path("products/<str:product_id>/plans", plans.ProductPlans.as_view(), name="product_plans"),
    path("plans", plans.PlanList.as_view(), name="plans"),
    path("plans/<str:plan_id>", plans.PlanDetail.as_view(), name="plan"),
    path("plans/<str:plan_id>/rows", plans.PlanRows.as_view(), name="plan_rows"),
    path("plans/<str:plan_id>/history", plans.PlanHistory.as_view(), name="plan_history"),
    path("plans/<str:plan_id>/end", plans.PlanEnd.as_view(), name="plan_end"),
    path("plans/<str:plan_id>/undo", plans.PlanUndo.as_view(), name="plan_undo"),
    path("imports", imports.ImportList.as_view(), name="imports"),
    path("jobs", jobs.JobList.as_view(), name="jobs"),
    path("jobs/<str:job_id>", jobs.JobDetail.as_view(), name="job"),
    path("jobs/<str:job_id>/rows", jobs.JobRows.as_view(), name="job_rows"),
    path("jobs/<str:job_id>/start", jobs.JobStart.as_view(), name="job_start"),
    path("jobs/<str:job_id>/cancel", jobs.JobCancel.as_view(), name="job_cancel"),
    path("jobs/<str:job_id>/undo", jobs.JobUndo.as_view(), name="job_undo"),
    path("jobs/<str:job_id>/decisions", jobs.JobDecisions.as_view(), name="job_decisions"),
    path(
        "jobs/<str:job_id>/rows/<int:number>/decisions",
        jobs.RowDecisions.as_view(),
        name="row_decisions",
    ),
]
