"""A training step of the base size (12x768): 32 passages of 256 tokens, 32,000 tokens; minutes, and 16 GB for stock."""

from steps import BASE, run

if __name__ == "__main__":
    run("step base", BASE, rounds=1, with_bf16=True)
