"""Figure 5: effective depth and width of a search space against the accuracy of its cells."""
