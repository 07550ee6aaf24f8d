"""Settings, read from environment variables.

``base`` is for every process, ``api`` and ``worker`` for functions on Lambda, and ``full`` for the
containers, with the admin.
"""
