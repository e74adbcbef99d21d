"""Devices online, admitted and looked for."""
