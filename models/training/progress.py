"""The progress of training on a terminal."""

from rich.progress import BarColumn, MofNCompleteColumn, TextColumn

from models.bar import Bar


class Progress(Bar):
    """Shows epochs, loss and held-out error."""

    def __init__(self, epochs: int, *, shown: bool) -> None:
        errors = TextColumn("loss {task.fields[loss]:.4f}  held-out error {task.fields[error]:.4f}")
        columns = (BarColumn(), MofNCompleteColumn(), errors)
        super().__init__("training", *columns, shown=shown, total=epochs, loss=float("nan"), error=float("nan"))

    def advance(self, loss: float, error: float) -> None:
        """Count one epoch."""
        self.show(advance=1, loss=loss, error=error)
