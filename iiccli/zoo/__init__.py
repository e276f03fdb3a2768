"""Model files: format, lookup, integrity, and the import of official checkpoints."""
