"""Videos that are gone on with: what is kept of a run, where, and for which recipe."""
