"""Proof that a deployment serves: parity with this machine, runs of judged queries, and what it costs."""
