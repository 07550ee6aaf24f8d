"""The user's own profile: name, address, time zone and number format."""

from functools import cache
from zoneinfo import available_timezones

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.views.decorators.http import require_http_methods
from unfold.widgets import (
    UnfoldAdminEmailInputWidget,
)

from products.access.profiles import profile_of, remember_preferences
from products.admin.base import user_of
from products.admin.people.forms import require_unique_address
from products.admin.widgets import SelectWidget, TextInputWidget

AREAS = ("Africa", "America", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific")


NUMBER_CHOICES = [
    ("en-za", "1\u00a0500,00 (South Africa)"),
    ("space-point", "1\u00a0500.00"),
    ("comma-point", "1,500.00"),
]


@cache  # the names are read from files
def zone_choices() -> list[tuple[str, str]]:
    """Return the time zones of places; the zones of offices and old names are left out."""
    names = sorted(name for name in available_timezones() if name.partition("/")[0] in AREAS)
    return [("UTC", "UTC"), *((name, name.replace("_", " ")) for name in names)]


class ProfileForm(forms.ModelForm):
    """What users may change about themselves."""

    first_name = forms.CharField(required=False, max_length=150, widget=TextInputWidget())
    last_name = forms.CharField(required=False, max_length=150, widget=TextInputWidget())
    email = forms.EmailField(required=False, widget=UnfoldAdminEmailInputWidget())
    time_zone = forms.ChoiceField(
        choices=zone_choices,
        widget=SelectWidget(),
        help_text="Times in the admin are shown in this zone.",
    )

    number_format = forms.ChoiceField(
        choices=NUMBER_CHOICES,
        widget=SelectWidget(),
        help_text="Amounts in the admin are shown like this. You can type them in any of these.",
    )

    class Meta:
        model = User
        fields = ("first_name", "last_name", "email")

    def clean_email(self) -> str:
        return require_unique_address(self.cleaned_data["email"], but=self.instance)


@require_http_methods(["GET", "HEAD", "POST"])
def profile_view(request: HttpRequest) -> HttpResponse:
    """Show or save the profile of the signed-in user."""
    profile = profile_of(user_of(request))
    form = ProfileForm(
        request.POST or None,
        instance=user_of(request),
        initial={"time_zone": profile.time_zone, "number_format": profile.number_format},
    )
    if request.method == "POST" and form.is_valid():
        form.save()
        profile.time_zone = form.cleaned_data["time_zone"]
        profile.number_format = form.cleaned_data["number_format"]
        profile.save(update_fields=["time_zone", "number_format"])
        remember_preferences(request, profile)
        messages.success(request, "Your profile is saved.")
        return HttpResponseRedirect(request.path)
    context = {**admin.site.each_context(request), "title": "Your profile", "form": form}
    return TemplateResponse(request, "admin/profile.html", context)
