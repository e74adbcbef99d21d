"""List sources, and the compiled snapshot that the DNS workers read."""
