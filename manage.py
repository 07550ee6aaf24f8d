#!/usr/bin/env python3
"""Django's command line."""

import os
import sys

from django.core.management import execute_from_command_line

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bbws_products.settings")
    if sys.argv[1:2] == ["gameday"]:
        from deploy.gameday.stack import stand_in_environment

        stand_in_environment()  # it starts a product of its own, so a shell without ours will do
    execute_from_command_line(sys.argv)
