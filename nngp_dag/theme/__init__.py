"""The theme of all pages: one palette, light and dark, one stylesheet, one notation for mathematics."""
