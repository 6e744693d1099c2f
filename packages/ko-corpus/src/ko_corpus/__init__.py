"""Collect, clean, deduplicate, chunk and split Korean text; queries out of structure, IDF, trends."""
