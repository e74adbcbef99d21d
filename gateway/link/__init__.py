"""What the link layer tells: neighbours by netlink."""
