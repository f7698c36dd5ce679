"""Command `nngp-dag`."""
