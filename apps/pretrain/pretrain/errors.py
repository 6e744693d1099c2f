"""The one error that ends a run of the pipeline with a sentence instead of a stack trace.

It stands alone so that the page of commands imports nothing heavy.
"""


class PipelineError(Exception):
    """A run that cannot go on: the message says where, what was found, what was wanted and what to do."""
