"""Spectra of kernels: extreme eigenvalues, condition, effective rank, the pairwise bound of Lemma 3.3, densities.

`spectrum` serves one Gram matrix of thousands of rows; `spectra` the statistics of many small ones, as in a sweep;
`sweep_statistics` those of the kernels of many DAGs that need no eigenvalues, without the kernels.
"""

from nngp_dag.spectrum.certification import CertifiedSpectrum as CertifiedSpectrum
from nngp_dag.spectrum.certification import certified as certified
from nngp_dag.spectrum.certification import certified_digits as certified_digits
from nngp_dag.spectrum.kernel_statistics import KernelStatistics as KernelStatistics
from nngp_dag.spectrum.kernel_statistics import kernel_statistics as kernel_statistics
from nngp_dag.spectrum.matrix_checks import PrecisionWarning as PrecisionWarning
from nngp_dag.spectrum.measures import effective_rank as effective_rank
from nngp_dag.spectrum.measures import spectral_density as spectral_density
from nngp_dag.spectrum.pairs import pair_bound as pair_bound
from nngp_dag.spectrum.summary import ScaleFree as ScaleFree
from nngp_dag.spectrum.summary import SpectraSummary as SpectraSummary
from nngp_dag.spectrum.summary import Spectrum as Spectrum
from nngp_dag.spectrum.summary import spectra as spectra
from nngp_dag.spectrum.summary import spectrum as spectrum
from nngp_dag.spectrum.sweep_statistics import SweepStatistics as SweepStatistics
from nngp_dag.spectrum.sweep_statistics import sweep_statistics as sweep_statistics

__all__ = [
    "CertifiedSpectrum",
    "KernelStatistics",
    "PrecisionWarning",
    "ScaleFree",
    "SpectraSummary",
    "Spectrum",
    "SweepStatistics",
    "certified",
    "certified_digits",
    "effective_rank",
    "kernel_statistics",
    "pair_bound",
    "spectra",
    "spectral_density",
    "spectrum",
    "sweep_statistics",
]
