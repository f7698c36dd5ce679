"""Networks of finite width: their modules, Monte Carlo estimates of kernels, training, and the bounds of Thm. 3.1."""
