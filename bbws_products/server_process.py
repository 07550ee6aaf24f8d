"""A process of the web server ends with the server that started it."""

import ctypes
import multiprocessing
import os
import signal
from contextlib import suppress

PR_SET_PDEATHSIG = 1


def end_with_parent() -> None:
    """On Linux, end this process when the server's main process is killed.

    Otherwise it would stay on the port, and serve old code next to that of a new server.
    """
    parent = multiprocessing.parent_process()
    if parent is None:
        return
    with suppress(AttributeError):
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent.pid:  # it has ended in the meantime
            os._exit(1)
