"""Torch modules, and nothing that knows a file, a task or a picture's origin."""
