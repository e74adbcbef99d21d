"""The console's rooms as JSON, for programs: the same permissions and the same changes."""
