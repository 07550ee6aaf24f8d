"""Load secrets from the SSM Parameter Store into environment variables, which the settings read.

Anyone who may view a Lambda function's configuration can read its environment variables. Only the
function's role can read the parameters.
"""

import os

from botocore.exceptions import BotoCoreError, ClientError
from django.core.exceptions import ImproperlyConfigured

from products.adapters.aws.direct import direct_client


def fill_environment(prefix: str) -> None:
    """Set a variable for each parameter directly under ``prefix``, named by its last part.

    Variables that are already set keep their values. SSM returns at most ten parameters a call, and
    only one call is made. Raise ImproperlyConfigured when it fails or returns no complete list.
    """
    ssm = direct_client("ssm", attempts=3)
    try:
        answer = ssm.get_parameters_by_path(Path=prefix, WithDecryption=True)
    except (BotoCoreError, ClientError) as fault:
        raise ImproperlyConfigured(
            f"The secrets below {prefix} (SECRETS_SSM_PREFIX) can't be read: {fault}"
        ) from None
    parameters = answer["Parameters"]
    if not parameters or answer.get("NextToken"):
        raise ImproperlyConfigured(
            f"There must be one to ten parameters below {prefix} (SECRETS_SSM_PREFIX)."
        )
    for parameter in parameters:
        name = parameter["Name"].rpartition("/")[2]
        os.environ.setdefault(name, parameter["Value"])
