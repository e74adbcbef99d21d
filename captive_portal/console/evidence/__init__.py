"""The auditor's rooms: acceptances, the log, its proofs, checkpoints, exports."""
