"""The command line: a file for each command; `main` gathers them."""
