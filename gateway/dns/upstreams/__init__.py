"""The forwarder's outward side: questions put to the configured servers by UDP, TCP, DoT and DoH.

`forwarder` is the door: it shares identical questions, sets deadlines and fails over. `udp`, `stream` and `https`
carry questions, `health` knows how each server is doing, `zones` which servers a name belongs to, `address` how one
is written.
"""
