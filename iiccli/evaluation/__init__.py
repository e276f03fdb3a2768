"""How good it is: metrics, protocols, sheets to look at."""
