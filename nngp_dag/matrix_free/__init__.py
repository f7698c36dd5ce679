"""Kernels of more rows than a matrix of them would fit: products tile by tile, and what follows from products alone.

`KernelOperator` multiplies a block of vectors by K without storing K (a LinearOperator for SciPy, and a function for
JAX). On it: `lanczos_spectrum` (the extreme eigenvalues with intervals, the density, the effective rank and the
log-determinant) and `kernel_ridge`, `gradient_flow` (predictions).
"""

from nngp_dag.matrix_free.density import SpectralMeasure as SpectralMeasure
from nngp_dag.matrix_free.nystrom import Nystrom as Nystrom
from nngp_dag.matrix_free.operator import KernelOperator as KernelOperator
from nngp_dag.matrix_free.ridge import gradient_flow as gradient_flow
from nngp_dag.matrix_free.ridge import kernel_ridge as kernel_ridge
from nngp_dag.matrix_free.spectrum import LanczosSpectrum as LanczosSpectrum
from nngp_dag.matrix_free.spectrum import lanczos_spectrum as lanczos_spectrum

__all__ = [
    "KernelOperator",
    "LanczosSpectrum",
    "Nystrom",
    "SpectralMeasure",
    "gradient_flow",
    "kernel_ridge",
    "lanczos_spectrum",
]
