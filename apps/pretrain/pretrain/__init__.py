"""The pipeline behind `uv run apps/pretrain`: recipes become DVC stages, each a package's command line."""
