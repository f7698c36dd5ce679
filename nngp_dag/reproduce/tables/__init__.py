"""Tables 1 to 3 of the paper: its values beside measured ones."""
