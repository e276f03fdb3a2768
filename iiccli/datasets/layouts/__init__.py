"""How each data set lies on disk, and how it is split: one module per data set."""
