"""A training step of the small size (3x256): 48 passages of 96 tokens, 30,000 tokens in the vocabulary."""

from steps import SMALL, run

if __name__ == "__main__":
    run("step small", SMALL, rounds=2, with_bf16=True)
