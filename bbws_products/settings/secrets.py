"""Secrets from the Parameter Store of SSM into the environment, where the settings read everything from.

A Lambda function's own environment can be read by whoever may look at its configuration; a parameter only by its role.
"""

import os

from botocore.exceptions import BotoCoreError, ClientError
from django.core.exceptions import ImproperlyConfigured

from products.adapters.aws.sigv4 import signed_client


def fill_environment(prefix: str) -> None:
    """Each parameter right below ``prefix`` becomes the variable of its last name; what is set already stays.

    One call (SSM gives at most ten parameters in one); ImproperlyConfigured, in one sentence, when that fails.
    """
    try:
        answer = signed_client("ssm", attempts=3).get_parameters_by_path(
            Path=prefix, WithDecryption=True
        )
    except (BotoCoreError, ClientError) as fault:
        raise ImproperlyConfigured(
            f"The secrets below {prefix} (SECRETS_SSM_PREFIX) can't be read: {fault}"
        ) from None
    found = {
        parameter["Name"].rpartition("/")[2]: parameter["Value"]
        for parameter in answer["Parameters"]
    }
    if not found or answer.get("NextToken"):
        raise ImproperlyConfigured(
            f"There must be one to ten parameters below {prefix} (SECRETS_SSM_PREFIX)."
        )
    for name, value in found.items():
        os.environ.setdefault(name, value)
