"""The boards, one file each: where their series lie, what of them is read, and the score file of each."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from models.benchmark.board import Board

BOARDS = ("nab", "skab", "smap", "ucr")


def open_board(name: str) -> "Board":
    """Return the board of that name."""
    board: Board = import_module(f"models.benchmark.boards.{name}").BOARD
    return board
