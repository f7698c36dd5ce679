"""Scores of untrained networks, and how they rank architectures."""
