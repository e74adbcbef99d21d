"""The DNS data plane beside the servers that people use, on loopback, one core each: `python -m tests.bench dns`."""
