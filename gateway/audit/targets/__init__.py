"""Where checkpoints are sent, one module a kind."""
