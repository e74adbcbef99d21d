"""The human side of the gateway: guest pages, captive-portal API and the console."""
