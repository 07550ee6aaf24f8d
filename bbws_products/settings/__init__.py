"""Settings from the environment: ``base`` for every process, ``api``, ``worker``, and ``full`` for the whole product."""
