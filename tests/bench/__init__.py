"""Measurements, printed: never tests with a clock. `python -m tests.bench [NAME …]`."""
