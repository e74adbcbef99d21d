"""nftables: the pure ruleset and plan, the one module that runs nft, and the enforcer."""
