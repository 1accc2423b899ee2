import logging

# A line break or escape sequence in a name must not forge a line of the log.
_ESCAPES = {c: f"\\x{c:02x}" for c in [*range(32), 127, *range(128, 160)]} | {
    0x2028: "\\u2028",
    0x2029: "\\u2029",
}


class LineFormatter(logging.Formatter):
    """One line an entry: time, level, logger, message; a trace follows with its line breaks escaped."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        return super().format(record).translate(_ESCAPES)
