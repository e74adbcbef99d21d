"""The DNS data plane: filtering forwarder that imports no database."""
