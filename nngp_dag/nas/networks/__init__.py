"""Networks of the search spaces' cells, as Flax modules that are compiled once for all cells."""
