"""The first page: how everything stands, and what to do about what does not."""
