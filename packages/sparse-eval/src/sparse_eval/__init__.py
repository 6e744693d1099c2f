"""Judge runs and vectors, compare systems, explain failures, draw."""
