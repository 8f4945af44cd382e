"""VUS: the volume under the surface of a curve over thresholds and buffer lengths.

Paparrizos, Boniol, Palpanas, Tsay, Elmore, Franklin, "Volume Under the Surface: A New Accuracy Evaluation Measure
for Time-Series Anomaly Detection", PVLDB 15 (11), 2022. With a buffer of length l, labels fade out around each
window, over l / 2 slots on each side, and for each threshold

    label_l = 1 in a window, sqrt(1 - d / l) at d slots from it, slopes that overlap added up to at most 1
    TP = sum of label_l over the slots at or above the threshold,  FP = sum of 1 - label_l over them
    P = (sum of label + sum of label_l) / 2,  N = slots - P
    recall = TPR = min(TP / P, 1) * share of windows, with their buffers, that have a slot at or above it
    FPR = FP / N,  precision = TP / (TP + FP)

The areas under TPR over FPR (by trapezoids, closed at 1, 1) and under precision over recall (by steps, as average
precision is, since between two points of that curve there is no straight line) are averaged over l = 0 .. L.
Every score is a threshold.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Vus:
    """How well scores are ordered, whatever the threshold; 1 is perfect."""

    pr: float  #: volume under precision and recall
    roc: float  #: volume under true and false positive rate


def vus(score: NDArray[np.floating], windows: NDArray[np.intp], longest: int) -> Vus:
    """Return both volumes of one stream's scores (n,).

    `windows` (w, 2) are the first row and the row after the last of each, in order and apart; `longest` is L, slots.
    ValueError if there is no window, or nothing outside.
    """
    label = np.zeros(len(score))
    for first, stop in windows:
        label[first:stop] = 1
    if not label.any() or label.all():
        raise ValueError("vus: expected slots within a window and slots outside, got only one kind")
    order = np.argsort(-score, kind="stable")
    last = np.append(np.flatnonzero(np.diff(score[order])), len(score) - 1)  # of each threshold's slots
    areas = [_areas(score, label, windows, length, order, last) for length in range(longest + 1)]
    pr, roc = np.mean(areas, axis=0)
    return Vus(float(pr), float(roc))


def faded(label: NDArray[np.float64], windows: NDArray[np.intp], length: int) -> NDArray[np.float64]:
    """Return the labels (n,) with slopes of length / 2 slots on both sides of each window."""
    reach = length // 2
    if reach == 0:
        return label
    slope = np.sqrt(1 - np.arange(1, reach + 1) / length)
    starts, stops = np.zeros(len(label) + 1), np.zeros(len(label) + 1)
    starts[windows[:, 0]] = stops[windows[:, 1]] = 1
    rising = np.convolve(starts, slope[::-1])[reach:][: len(label)]
    falling = np.convolve(stops, slope)[: len(label)]
    wide: NDArray[np.float64] = np.minimum(label + rising + falling, 1.0)
    return wide


def _areas(
    score: NDArray[np.floating],
    label: NDArray[np.float64],
    windows: NDArray[np.intp],
    length: int,
    order: NDArray[np.intp],
    last: NDArray[np.intp],
) -> tuple[float, float]:
    """Return the areas under both curves at one buffer length."""
    wide = faded(label, windows, length)
    reach = length // 2
    ends = np.column_stack([np.maximum(windows[:, 0] - reach, 0), np.minimum(windows[:, 1] + reach, len(score))])
    highest = np.sort([score[first:stop].max() for first, stop in ends])
    exist = 1 - np.searchsorted(highest, score[order][last]) / len(highest)

    true, told = np.cumsum(wide[order])[last], last + 1.0
    positive = (label.sum() + wide.sum()) / 2
    recall = np.minimum(true / positive, 1.0) * exist
    precision, false_rate = true / told, (told - true) / (len(score) - positive)
    pr = np.sum(np.diff(recall, prepend=0.0) * precision)
    roc = np.trapezoid(np.concatenate([[0.0], recall, [1.0]]), np.concatenate([[0.0], false_rate, [1.0]]))
    return float(pr), float(roc)
