"""The command line's groups, one file each, loaded only when used. `gateway.cli` is the root that wires them."""
