"""One HTML file that shows everything and needs nothing else."""
