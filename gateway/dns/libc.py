"""What the C library needs to be told to take many datagrams at once (recvmmsg(2), sendmmsg(2)), as on 64-bit Linux."""

from __future__ import annotations

import ctypes
from ctypes import c_int, c_size_t, c_uint, c_uint32, c_void_p


class IoVec(ctypes.Structure):
    """struct iovec (readv(2))."""

    _fields_ = (("base", c_void_p), ("len", c_size_t))


class MsgHdr(ctypes.Structure):
    """struct msghdr (recvmsg(2))."""

    _fields_ = (
        ("name", c_void_p),
        ("namelen", c_uint32),
        ("iov", c_void_p),
        ("iovlen", c_size_t),
        ("control", c_void_p),
        ("controllen", c_size_t),
        ("flags", c_int),
    )


class MMsgHdr(ctypes.Structure):
    """struct mmsghdr (recvmmsg(2))."""

    _fields_ = (("hdr", MsgHdr), ("len", c_uint))


def batch_calls() -> ctypes.CDLL | None:
    """The C library with recvmmsg and sendmmsg, None where it has no such calls."""
    try:
        libc = ctypes.CDLL(None, use_errno=True)
        libc.recvmmsg.argtypes = (c_int, c_void_p, c_uint, c_int, c_void_p)
        libc.sendmmsg.argtypes = (c_int, c_void_p, c_uint, c_int)
    except (OSError, AttributeError):
        return None
    return libc
