"""Planned changes in the admin: the list, the calendar, a plan's page, and making plans."""
