"""`python -m sparse_encoder`: the command line."""

from sparse_encoder.cli import main

main()
