"""The SSM Parameter Store, in which a command leaves a secret for one person to fetch."""

from typing import Any


class SecretParameters:
    """Encrypted parameters; ``key`` is the id or the alias of their KMS key."""

    def __init__(self, ssm: Any, key: str) -> None:
        self._ssm = ssm
        self._key = key

    def store(self, name: str, value: str) -> None:
        """Store a secret under a name, in place of an earlier one."""
        self._ssm.put_parameter(
            Name=name, Value=value, Type="SecureString", KeyId=self._key, Overwrite=True
        )
