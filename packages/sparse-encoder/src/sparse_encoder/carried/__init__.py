"""Source that travels inside a model folder, for what sentence-transformers' own modules cannot express.

Nothing of this package is imported there: a folder loads with `trust_remote_code=True` wherever
sentence-transformers is.
"""
