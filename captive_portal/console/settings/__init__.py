"""The settings: what the services were started with, and what is changed while they run."""
