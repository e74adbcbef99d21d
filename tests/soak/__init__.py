"""A worker under mixed load for minutes, with policy reloads all the while: what is lost, what grows, what is slow."""
