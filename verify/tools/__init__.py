"""What several claims share: structural conditions of DAGs, two-point kernels of whole spaces, smallest
counterexamples.
"""
