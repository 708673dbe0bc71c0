"""Whose process holds the other end of a connection from this machine, as Linux tells in proc_net(5)."""

import os
import socket
import sys
from contextlib import suppress
from pathlib import Path

Address = tuple[str, int]

_ESTABLISHED = "01"  # of other states the table gives user 0, whoever it was


def is_own_user(client: Address, server: Address) -> bool:
    """Whether a process of this process's user holds the client's end.

    Args:
        client: address and port of the connection's other end.
        server: address and port of its end here.

    Returns:
        False where it is another user's, where the client has closed it, and on systems that do not tell.
    """
    wanted = [_in_hexadecimal(client), _in_hexadecimal(server)]
    with suppress(OSError):
        lines = Path("/proc/net/tcp6" if ":" in client[0] else "/proc/net/tcp").read_text().splitlines()
        for _, local, remote, state, _, _, _, user, _, inode, *_ in map(str.split, lines[1:]):
            if [local, remote] == wanted:
                return state == _ESTABLISHED and int(user) == os.geteuid() and inode != "0"
    return False


def _in_hexadecimal(address: Address) -> str:
    """An address as the table has it: words of four bytes in the order of the machine, and the port."""
    host, port = address
    packed = socket.inet_pton(socket.AF_INET6 if ":" in host else socket.AF_INET, host)
    words = [int.from_bytes(packed[at : at + 4], sys.byteorder) for at in range(0, len(packed), 4)]
    return f"{''.join(f'{word:08X}' for word in words)}:{port:04X}"
