"""Leads all questions of one device that has not accepted to one worker, so that what it asked is counted whole.

Workers share an address by SO_REUSEPORT, and the kernel would choose among them by port numbers, which the device
chooses. A program of five instructions chooses by the mark instead: the firewall gives each such device one of its own
(`DEVICE_MARK` and a hash of its MAC address). For every other mark it names no worker: the kernel's own choice stands.
"""

from __future__ import annotations

import ctypes
import socket
import struct

from gateway.dns.unaccepted import DEVICE_MARK

_SO_ATTACH_REUSEPORT_CBPF = 51
_LOAD_WORD, _JUMP_IF_ANY, _MODULO, _RETURN_A, _RETURN = 0x20, 0x45, 0x94, 0x16, 0x06  # linux/filter.h
_MARK_AT = 0xFFFF_F000 + 20  # SKF_AD_OFF + SKF_AD_MARK
_NO_WORKER = 0xFFFF_FFFF


def steer(bound: socket.socket, workers: int) -> None:
    """Steer what comes for the address of a socket of `workers`: a bound UDP one, or a TCP one that listens already.

    (A TCP socket with a program can't begin to listen beside others.) Raises: OSError.
    """
    if workers == 1:
        return
    program = b"".join(
        struct.pack("=HBBI", *instruction)
        for instruction in (
            (_LOAD_WORD, 0, 0, _MARK_AT),
            (_JUMP_IF_ANY, 0, 2, DEVICE_MARK),
            (_MODULO, 0, 0, workers),
            (_RETURN_A, 0, 0, 0),
            (_RETURN, 0, 0, _NO_WORKER),
        )
    )
    held = ctypes.create_string_buffer(program, len(program))
    bound.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_REUSEPORT_CBPF, struct.pack("@HP", 5, ctypes.addressof(held)))
