"""Tables 1 to 3 of the paper: its figures beside measured ones."""
