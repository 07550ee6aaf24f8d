"""The user's own profile: name, address and time zone."""

from zoneinfo import available_timezones

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.views.decorators.http import require_http_methods
from unfold.widgets import (
    UnfoldAdminEmailInputWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
)

from products.access.profiles import SESSION_KEY, profile_of
from products.admin.base import user_of

AREAS = ("Africa", "America", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific")


def zone_choices() -> list[tuple[str, str]]:
    """Return the time zones of places; the zones of offices and old names are left out."""
    names = sorted(name for name in available_timezones() if name.partition("/")[0] in AREAS)
    return [("UTC", "UTC"), *((name, name.replace("_", " ")) for name in names)]


class ProfileForm(forms.ModelForm):
    """What users may change about themselves."""

    first_name = forms.CharField(
        required=False, max_length=150, widget=UnfoldAdminTextInputWidget()
    )
    last_name = forms.CharField(required=False, max_length=150, widget=UnfoldAdminTextInputWidget())
    email = forms.EmailField(required=False, widget=UnfoldAdminEmailInputWidget())
    time_zone = forms.ChoiceField(
        choices=zone_choices,
        widget=UnfoldAdminSelectWidget(),
        help_text="Times in the admin are shown in this zone.",
    )

    class Meta:
        model = User
        fields = ("first_name", "last_name", "email")


@require_http_methods(["GET", "HEAD", "POST"])
def profile_view(request: HttpRequest) -> HttpResponse:
    """Show or save the profile of the signed-in user."""
    profile = profile_of(user_of(request))
    form = ProfileForm(
        request.POST or None,
        instance=user_of(request),
        initial={"time_zone": profile.time_zone},
    )
    if request.method == "POST" and form.is_valid():
        form.save()
        profile.time_zone = form.cleaned_data["time_zone"]
        profile.save(update_fields=["time_zone"])
        request.session[SESSION_KEY] = profile.time_zone
        messages.success(request, "Your profile is saved.")
        return HttpResponseRedirect(request.path)
    context = {**admin.site.each_context(request), "title": "Your profile", "form": form}
    return TemplateResponse(request, "admin/profile.html", context)
