"""The table of a comparison on a terminal."""

from rich.table import Table

from models.search.comparison import LINEAR, Comparison, Measured, Row, percent

_HEADINGS = (
    "held-out error", "against linear", "alarms a week", "step.onnx", "µs a step", "µs a row", "memory", "trained in"
)  # fmt: skip


def table(compared: Comparison) -> Table:
    """Return the families in order of their error, the recommended one marked, the failed ones last."""
    found = Table("family", title=f"Budget: {compared.budget_per_week:.2g} alarms a stream and week", title_style="")
    for heading in _HEADINGS:
        found.add_column(heading, justify="right")
    for row in compared.ranked:
        chosen = row.family == compared.recommended
        cells = _cells(compared, row, row.measured) if row.measured else ["failed"]
        found.add_row(f"{row.family} *" if chosen else row.family, *cells, style="bold" if chosen else "")
    told = [(row.family, row.failure or row.note) for row in compared.rows]
    found.caption = "\n".join(f"{family}: {text}" for family, text in told if text)
    found.caption_justify = "left"
    return found


def _cells(compared: Comparison, row: Row, measured: Measured) -> list[str]:
    return [
        f"{measured.error:.4f}",
        "" if row.family == LINEAR else percent(compared.gain(row.family)),
        f"{measured.alarms_per_week:.2g}",
        f"{measured.step_bytes / 1024:.1f} KiB",
        f"{measured.alone_us:.0f}",
        f"{measured.row_us:.2f}",
        str(measured.memory),
        f"{measured.train_s:.1f} s",
    ]
