"""Tools that several claims share: settings, structural conditions of DAGs, two-point kernels of whole spaces, smallest
counterexamples, and formulas transcribed a second time.
"""
