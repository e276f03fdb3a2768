"""How surely a simple detector tells carriers from the photographs that they were made from."""
