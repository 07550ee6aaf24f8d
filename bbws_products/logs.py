"""How a log line looks: a constant message, then what is particular about this event as key=value."""

import logging

STANDARD = set(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName", "data", "request"}


class LineFormatter(logging.Formatter):
    def __init__(self) -> None:
        super().__init__("%(levelname)s %(name)s: %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 # logging's name
        particular = " ".join(f"{key}={value}" for key, value in vars(record).items() if key not in STANDARD)
        return f"{super().formatMessage(record)} {particular}".rstrip()
