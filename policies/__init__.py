"""What may be visited: pure decisions about names. No clock, socket, database, logging or environment."""
