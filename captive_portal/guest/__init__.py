"""Pages of the guest: welcome, accept, status, receipt, rules."""
