"""The acceptance log: an RFC 6962 tree, its signed checkpoints, export and verification."""
