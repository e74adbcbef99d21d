"""The machine side of the gateway: storage, DNS, firewall, lists, access and the audit log."""
