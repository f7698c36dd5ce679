"""Spectra of kernels as pictures: eigenvalues in order, and their density, for several kernels at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from nngp_dag.errors import InputError
from nngp_dag.plots.style import GREY, SYMBOLS, Look, figure_style, line, new_axes, tidy
from nngp_dag.spectrum import Spectrum, spectral_density, spectrum

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Series", "plot_spectral_density", "plot_spectrum"]

Series = Spectrum | ArrayLike | Mapping[str, Spectrum | ArrayLike]
"""A spectrum or a kernel matrix [N, N], or several of them by label."""


def plot_spectrum(
    series: Series,
    ax: Axes | None = None,
    *,
    scale_free: bool = False,
    log_rank: bool = False,
    styles: Mapping[str, Look] | None = None,
) -> Axes:
    """Eigenvalues in descending order against their rank, on a logarithmic scale.

    Eigenvalues at or below the resolution N eps lambda_max cannot be told from zero and are left out; where there are
    any, a dotted grey line marks the highest resolution of the series.

    Args:
        series: a `Spectrum`, a kernel matrix [N, N], or a mapping from labels to them.
        ax: where to draw; by default a new plot.
        scale_free: divide by the mean diagonal of each kernel.
        log_rank: a logarithmic scale for the rank too, which shows decay laws as straight lines.
        styles: matplotlib line properties by label, over the default ones.

    Returns:
        The Axes.

    Raises:
        InputError: no series, or something that is no kernel matrix.
    """
    named = _named_spectra(series)
    with figure_style():
        ax = new_axes(ax)
        tidy(ax)
        floor = 0.0
        for index, (label, s) in enumerate(named.items()):
            scale = s.mean_diagonal if scale_free and s.mean_diagonal > 0 else 1.0
            resolved = s.eigenvalues[s.eigenvalues > s.resolution][::-1] / scale
            if resolved.size < s.eigenvalues.size:
                floor = max(floor, s.resolution / scale)
            look = line(index) | {"markevery": _marks(resolved.size, index)} | dict((styles or {}).get(label, {}))
            ax.plot(np.arange(1, resolved.size + 1), resolved, label=label, **look)
        ax.set_yscale("log")
        if log_rank:
            ax.set_xscale("log")
        if floor > 0:
            ax.axhline(floor, color=GREY, linestyle=":", linewidth=1, zorder=1)
            ax.annotate(
                "resolution",
                (0, floor),
                xycoords=("axes fraction", "data"),
                xytext=(3, 2),
                textcoords="offset points",
                color=GREY,
                fontsize=7.5,
            )
        ax.set(xlabel="rank $i$", ylabel=SYMBOLS["scale_free" if scale_free else "eigenvalue"])
        if len(named) > 1:
            ax.legend()
    return ax


def plot_spectral_density(
    series: Series,
    ax: Axes | None = None,
    *,
    scale_free: bool = False,
    styles: Mapping[str, Look] | None = None,
) -> Axes:
    """Density of eigenvalues per decade (`spectral_density`) against the eigenvalue, on a logarithmic scale.

    Args:
        series: a `Spectrum`, a kernel matrix [N, N], or a mapping from labels to them.
        ax: where to draw; by default a new plot.
        scale_free: divide by the mean diagonal of each kernel.
        styles: matplotlib line properties by label, over the default ones.

    Returns:
        The Axes.

    Raises:
        InputError: as `plot_spectrum`, or a kernel with fewer than two distinct eigenvalues above its resolution.
    """
    named = _named_spectra(series)
    with figure_style():
        ax = new_axes(ax)
        tidy(ax)
        for index, (label, s) in enumerate(named.items()):
            scale = s.mean_diagonal if scale_free and s.mean_diagonal > 0 else 1.0
            points, density = spectral_density(s.eigenvalues / scale, floor=s.resolution / scale)
            look = {key: value for key, value in line(index).items() if key != "marker"}
            look |= dict((styles or {}).get(label, {}))
            ax.plot(points, density, label=label, **look)
            ax.fill_between(points, density, color=look["color"], alpha=0.12, linewidth=0)
        ax.set_xscale("log")
        ax.set_ylim(bottom=0)
        ax.set(xlabel=SYMBOLS["scale_free" if scale_free else "eigenvalue"], ylabel="density per decade")
        if len(named) > 1:
            ax.legend()
    return ax


def _named_spectra(series: Series) -> dict[str, Spectrum]:
    named: Mapping[str, Spectrum | ArrayLike] = series if isinstance(series, Mapping) else {"": series}
    if not named:
        raise InputError("nothing to draw: give a spectrum, a kernel matrix, or a mapping from labels to them")
    return {str(label): s if isinstance(s, Spectrum) else spectrum(s) for label, s in named.items()}


def _marks(count: int, index: int) -> tuple[int, int]:
    """About eight markers per line, shifted between lines so that they do not cover each other."""
    step = max(1, count // 8)
    return (index * step // 4) % step, step
