"""Architecture search spaces."""
